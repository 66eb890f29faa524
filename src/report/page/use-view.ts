/** Renders a component anew when what it takes of the view model has changed. */
import { useEffect, useState } from "preact/hooks";
import type { ViewModel } from "./view-model.ts";

/** `key` says, as text, what the component shows. */
export function useView(view: ViewModel, key: () => string): void {
  const [, set] = useState(key);
  useEffect(() => view.subscribe(() => set(key())), [view]);
}
