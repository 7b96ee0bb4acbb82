// Loads nothing and does nothing.

export const handler = async () => 'done'
