/** Deep freezing of messages in checked mode: nodes share no mutable object, and this proves it. */

/** Freezes `value` and all that it holds; returns it. Values already frozen are not entered again. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
