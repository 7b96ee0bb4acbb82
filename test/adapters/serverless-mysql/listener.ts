// A callback of the application that remembers what it was told.
import { type Mock, vi } from 'vitest'

export function listener(): Mock<(...args: unknown[]) => void> {
  return vi.fn<(...args: unknown[]) => void>()
}
