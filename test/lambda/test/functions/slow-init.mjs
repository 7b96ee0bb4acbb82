// Takes INIT_MS to initialise.

await new Promise((resolve) => setTimeout(resolve, Number(process.env.INIT_MS)))

export const handler = async () => 'at last'
