// `pnpm bench`: what governance costs a warm and a cold request, beside the bare driver in the same run.
import { arch, cpus, platform } from 'node:os'

import { censusTable, measureCensus } from './census.ts'
import { checkoutTable, measureCheckout } from './checkout.ts'
import { extensionTable, measureExtension } from './extension.ts'
import { loadTable, measureLoad } from './load.ts'
import { measureMetrics, metricsCostTable } from './metrics.ts'
import { measureRequests, requestTable } from './request.ts'
import { measureToken, tokenTable } from './token.ts'

const print = (text: string): void => {
  process.stdout.write(`${text}\n\n`)
}

print(`Node ${process.version}, ${cpus().length} cores, ${platform()} ${arch()}`)
print(`Warm checkout and checkin, no statement (medians of 15 rounds of 50 000, by turns):`)
print(checkoutTable(await measureCheckout()))
print(`Load and first request of a fresh process (medians of 21, by turns; built packages):`)
print(loadTable(await measureLoad()))
print(`First login by token of a fresh process (medians of 21, by turns; built packages):`)
print(tokenTable(await measureToken()))
print(`Warm request of one statement in a frozen environment, 0.5 ms added each way (1 000 each, by turns):`)
print(requestTable(await measureRequests()))
print(`Warm request of one statement in a frozen environment, by what is registered (2 000 each, by turns):`)
print(extensionTable(await measureExtension()))
print(
  `Warm request of one statement in a frozen environment, by where metrics go, every 2 s (1 500 each, by turns):`,
)
print(metricsCostTable(await measureMetrics()))
print(`The server's processor time for one census (medians of 7 rounds, by turns):`)
print(censusTable(await measureCensus()))
