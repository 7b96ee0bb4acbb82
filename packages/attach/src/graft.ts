/** Other methods for some objects of a class: the class stays, and so do its subclasses and whoever wraps its methods. */

export type Method = (this: unknown, ...given: never[]) => unknown
/** An object's methods from now on; those it lacks stay the class's own. */
export type Methods = Readonly<Record<string, unknown>>

/** Of objects that stay as they are. */
export const UNCHANGED: Methods = Object.freeze(Object.create(null) as Methods)

const GRAFT: unique symbol = Symbol('leasehold.graft')

interface Grafted {
  [GRAFT]?: Methods
}

export class Graft {
  /** The class's methods as they were, on an object that inherits what the class inherits: where `super` leads. */
  readonly originals: Record<string, unknown>
  readonly #prototype: object
  readonly #adopt: (object: object) => Methods
  readonly #grafted = new Set<string>()

  /** @param adopt returns the methods of an object that is looked at for the first time; must not throw */
  constructor(prototype: object, adopt: (object: object) => Methods) {
    this.#prototype = prototype
    this.#adopt = adopt
    this.originals = Object.create(
      Object.getPrototypeOf(prototype) as object | null,
      Object.getOwnPropertyDescriptors(prototype),
    ) as Record<string, unknown>
  }

  /**
   * From now on these methods of an object that was adopted are those that its adoption gave it.
   *
   * @param begins an object that nobody has looked at is adopted when one of them is called
   */
  put(names: readonly string[], begins: boolean): void {
    for (const name of names) {
      const descriptor = Object.getOwnPropertyDescriptor(this.#prototype, name)
      const original: unknown = descriptor?.value
      if (this.#grafted.has(name) || typeof original !== 'function') continue
      this.#grafted.add(name)
      // As it is now: somebody may have wrapped it meanwhile.
      this.originals[name] = original
      const value = begins ? this.#beginning(name, original as Method) : dispatched(name, original as Method)
      Object.defineProperty(this.#prototype, name, { ...descriptor, value })
    }
  }

  #beginning(name: string, original: Method): Method {
    const adopt = this.#adopt
    return function (this: unknown, ...given: never[]): unknown {
      const object = this as Grafted & Record<string, unknown>
      if (object[GRAFT] === undefined) {
        const had = Object.hasOwn(object, name)
        // What the adoption itself calls is the driver's own.
        keep(object, UNCHANGED)
        keep(object, adopt(object))
        if (!had && Object.hasOwn(object, name)) return Reflect.apply(object[name] as Method, object, given)
      }
      return Reflect.apply((object[GRAFT]?.[name] as Method | undefined) ?? original, object, given)
    }
  }
}

function dispatched(name: string, original: Method): Method {
  return function (this: unknown, ...given: never[]): unknown {
    return Reflect.apply(((this as Grafted)[GRAFT]?.[name] as Method | undefined) ?? original, this, given)
  }
}

function keep(object: Grafted, methods: Methods): void {
  Object.defineProperty(object, GRAFT, { value: methods, configurable: true, enumerable: false })
}

/** Gives the object what `source` has and the object lacks: members that only its governor looks for. */
export function lend(object: object, source: object): void {
  for (const name of Reflect.ownKeys(source)) {
    if (name === 'constructor' || name in object) continue
    const descriptor = Object.getOwnPropertyDescriptor(source, name)
    if (descriptor !== undefined) Object.defineProperty(object, name, { ...descriptor, enumerable: false })
  }
}

/** A class for others to extend, that makes nothing: `make` says which object it is that they make their own. */
export function standIn(
  prototype: object,
  make: (...given: never[]) => object,
): new (...given: never[]) => object {
  const StandIn = function (...given: never[]): object {
    return make(...given)
  }
  StandIn.prototype = prototype
  return StandIn as unknown as new (...given: never[]) => object
}
