/** What governance reads of a server's answers itself: a few bytes of the packet that ends one. */

import type { DriverCommand, DriverPacket } from './driver.ts'

const OK = 0x00
const EOF = 0xfe
const ERROR = 0xff
/** Longer ones are rows: a first byte of 0xfe then begins a length of eight bytes. */
const LONGEST_EOF_BYTES = 8
const IN_TRANSACTION = 0x1

/** The error's number, or undefined where the packet is none. */
export function errnoOf({ buffer, offset, end }: DriverPacket): number | undefined {
  return buffer[offset] === ERROR && offset + 3 <= end ? buffer.readUInt16LE(offset + 1) : undefined
}

/**
 * Whether the session is in a transaction, by the server's own flag; undefined where the packet does not
 * say. Of a row no more than the first byte is looked at, and of a binary one what its command awaits.
 */
export function transactionFlagOf(
  { buffer, offset, end }: DriverPacket,
  command: DriverCommand | null,
): boolean | undefined {
  const first = buffer[offset]
  let statusAt: number
  if (first === EOF && end - offset <= LONGEST_EOF_BYTES) statusAt = offset + 3
  else if (first === OK && awaitsOk(command)) {
    statusAt = afterNumber(buffer, afterNumber(buffer, offset + 1))
  } else return undefined
  if (statusAt + 2 > end) return undefined
  return ((buffer[statusAt] as number) & IN_TRANSACTION) !== 0
}

/** A row of a prepared statement begins like an OK packet, and so does the answer to "prepare". */
function awaitsOk(command: DriverCommand | null): boolean {
  if (command === null || command.prepareHeader !== undefined) return false
  const { next, resultsetHeader, infileOk } = command
  return resultsetHeader === undefined || next === resultsetHeader || next === infileOk
}

/** The place behind a length-coded number. */
function afterNumber(buffer: Buffer, offset: number): number {
  switch (buffer[offset]) {
    case 0xfc:
      return offset + 3
    case 0xfd:
      return offset + 4
    case 0xfe:
      return offset + 9
    default:
      return offset + 1
  }
}
