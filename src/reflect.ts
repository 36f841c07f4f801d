// The part of the Reflect metadata proposal that @peculiar/x509 (through tsyringe) asks for at load
// time. It must be evaluated before that package is: main.ts imports it first, because in a
// compiled binary a lazily loaded module is too late; bunfig.toml does the same for tests. Knows
// nothing of certificates.

type Metadata = Map<unknown, unknown>;

const store = new WeakMap<object, Metadata>();

const shim = {
  defineMetadata(key: unknown, value: unknown, target: object): void {
    const own = store.get(target) ?? new Map<unknown, unknown>();
    own.set(key, value);
    store.set(target, own);
  },
  getOwnMetadata(key: unknown, target: object): unknown {
    return store.get(target)?.get(key);
  },
  getMetadata(key: unknown, target: object): unknown {
    for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at)) {
      const own = store.get(at);
      if (own?.has(key)) return own.get(key);
    }
    return undefined;
  },
};

// A full polyfill that something else loaded first stays in place.
if (!("getMetadata" in Reflect)) Object.assign(Reflect, shim);
