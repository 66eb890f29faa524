/** Choose an offset and see its life across replicas and clients. */
import { useMemo } from "preact/hooks";
import { recordWay } from "./record-way.ts";
import type { Timeline } from "./timeline.ts";
import { useView } from "./use-view.ts";
import type { ViewModel } from "./view-model.ts";
import { seconds } from "./words.ts";

export function WayPanel({ timeline, view }: { timeline: Timeline; view: ViewModel }) {
  useView(view, () => `${view.partition} ${view.offset} ${view.cursor}`);
  const { partition, offset } = view;
  const steps = useMemo(
    () => (offset === null ? [] : recordWay(timeline, partition, offset)),
    [timeline, partition, offset],
  );
  const values = [...new Set(steps.map(({ value }) => value))];
  return (
    <div class="way">
      <p class="filters">
        <label>
          offset{" "}
          <input
            type="number"
            min={0}
            id="way-offset"
            value={offset ?? ""}
            onInput={({ currentTarget }) => {
              const text = currentTarget.value;
              view.set({ offset: text === "" ? null : Math.max(0, Math.floor(Number(text))) });
            }}
          />
        </label>
        of {timeline.recording.partitions[partition]}
        {values.length > 1 && (
          <b class="bad">{values.length} different records were at this offset</b>
        )}
      </p>
      {offset === null && <p class="note">Type an offset, or click one in the table of logs.</p>}
      {offset !== null && steps.length === 0 && (
        <p class="note">Nothing was ever written at offset {offset}.</p>
      )}
      {steps.length > 0 && (
        <table class="steps">
          <thead>
            <tr>
              <th scope="col">time</th>
              <th scope="col">node</th>
              <th scope="col">what happens</th>
              <th scope="col">record</th>
            </tr>
          </thead>
          <tbody>
            {steps.map((step, i) => (
              // The same may happen twice at one time: the place is the identity.
              <tr key={i} class={step.at <= view.cursor ? "" : "later"}>
                <td>
                  <button type="button" class="link" onClick={() => view.moveTo(step.at)}>
                    {seconds(step.at)}
                  </button>
                </td>
                <th scope="row">{step.node}</th>
                <td class={step.tone}>{step.says}</td>
                <td class={`mono value-${values.indexOf(step.value) % 4}`}>{step.value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
