/** One message with Kafka's field names, as it was sent. */
import type { RecordedMessage } from "../recording/format.ts";
import { messageWords } from "./message-filter.ts";
import type { Timeline } from "./timeline.ts";
import { useView } from "./use-view.ts";
import type { ViewModel } from "./view-model.ts";
import { seconds } from "./words.ts";

export function MessageCard({ timeline, view }: { timeline: Timeline; view: ViewModel }) {
  useView(view, () => `${view.message} ${view.window.from}`);
  const message = view.message === null ? undefined : view.window.messages[view.message];
  if (message === undefined) return null;
  const [sentAt, arrivedAt] = message as RecordedMessage;
  return (
    <div class="message-card">
      <header>
        <b>{messageWords(timeline, view.window, message)}</b>
        <button type="button" aria-label="Close" onClick={() => view.set({ message: null })}>
          ×
        </button>
      </header>
      <p class="note">
        sent{" "}
        <button type="button" class="link" onClick={() => view.moveTo(sentAt)}>
          {seconds(sentAt)}
        </button>
        , {arrivedAt < 0 ? "never arrived" : "arrived "}
        {arrivedAt >= 0 && (
          <button type="button" class="link" onClick={() => view.moveTo(arrivedAt)}>
            {seconds(arrivedAt)}
          </button>
        )}
      </p>
      <pre>{fieldLines(message[6], "").join("\n")}</pre>
    </div>
  );
}

/** YAML-like: a field per line, short values in one line. */
export function fieldLines(value: unknown, indent: string): string[] {
  if (typeof value !== "object" || value === null) return [`${indent}${String(value)}`];
  const lines: string[] = [];
  for (const [name, inner] of Object.entries(value)) {
    const label = Array.isArray(value) ? "-" : `${name}:`;
    const short = JSON.stringify(inner) ?? "";
    if (typeof inner !== "object" || inner === null) {
      lines.push(`${indent}${label} ${typeof inner === "string" && inner !== "" ? inner : short}`);
    } else if (short.length <= 64) {
      lines.push(
        `${indent}${label} ${short.replaceAll('"', "").replaceAll(",", ", ").replaceAll(":", ": ")}`,
      );
    } else {
      lines.push(`${indent}${label}`, ...fieldLines(inner, `${indent}  `));
    }
  }
  return lines;
}
