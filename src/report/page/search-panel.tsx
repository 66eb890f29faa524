/** Search by text and by what follows what. */
import { useMemo, useState } from "preact/hooks";
import { type Found, parseQuery, search, searchItems } from "./search.ts";
import type { Timeline } from "./timeline.ts";
import { useView } from "./use-view.ts";
import type { ViewModel } from "./view-model.ts";
import { seconds } from "./words.ts";

const LIMIT = 300;
const EXAMPLES = [
  "truncated",
  "LeaderAndIsr.request to b2",
  "Produce.request not followed by Produce.response within 1s",
  "LeaderAndIsr.request followed by truncated within 500ms",
];

export function SearchPanel({ timeline, view }: { timeline: Timeline; view: ViewModel }) {
  useView(view, () => `${view.window.from}`);
  const [text, setText] = useState("");
  const { window } = view;
  const items = useMemo(() => searchItems(timeline, window), [timeline, window]);
  const query = parseQuery(text);
  const wrong = typeof query === "string" ? query : null;
  const found = typeof query === "string" || text.trim() === "" ? [] : search(items, query, LIMIT);
  return (
    <div class="search">
      <p class="filters">
        <input
          type="search"
          id="search-text"
          aria-label="Search"
          placeholder="words, at b1, from b1, to b2, not followed by … within 1s"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </p>
      <p class="examples">
        {EXAMPLES.map((example) => (
          <button key={example} type="button" onClick={() => setText(example)}>
            {example}
          </button>
        ))}
      </p>
      <p class="note" role="status">
        {wrong ??
          (text.trim() === ""
            ? ""
            : `${found.length}${found.length === LIMIT ? " or more" : ""} found. `)}
        Searched are the transitions of the whole trial, and every message and observation from{" "}
        {seconds(window.from, 3)} to {seconds(window.to, 3)}.
      </p>
      <ol class="steps-list">
        {found.map((one, i) => (
          <Row key={i} found={one} view={view} />
        ))}
      </ol>
    </div>
  );
}

function Row({ found, view }: { found: Found; view: ViewModel }) {
  return (
    <li>
      <button
        type="button"
        class="link"
        onClick={() => {
          view.set({ message: found.message });
          view.moveTo(found.at);
        }}
      >
        {seconds(found.at)}
      </button>{" "}
      {found.says}
      {found.follower !== null && (
        <span class="then">
          {" "}
          → {seconds(found.follower.at)} {found.follower.says}
        </span>
      )}
    </li>
  );
}
