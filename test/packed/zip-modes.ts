/** The modes of a zip's files, which readers of zip for JavaScript leave out. Source: APPNOTE.TXT, 4.3.12. */

const END_OF_DIRECTORY = 0x06_05_4b_50
const END_BYTES = 22

/** Path to permission bits, in the order of the directory. */
export function modesIn(zip: Uint8Array): Map<string, number> {
  const bytes = Buffer.from(zip.buffer, zip.byteOffset, zip.byteLength)
  const end = bytes.length - END_BYTES
  if (bytes.readUInt32LE(end) !== END_OF_DIRECTORY) throw new Error('no zip file, or one with a comment')
  const modes = new Map<string, number>()
  let at = bytes.readUInt32LE(end + 16)
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [name, extra, comment] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field))
    const start = at + 46
    const stop = start + (name ?? 0)
    modes.set(bytes.toString('utf8', start, stop), (bytes.readUInt32LE(at + 38) >>> 16) & 0o777)
    at = stop + (extra ?? 0) + (comment ?? 0)
  }
  return modes
}
