/**
 * Talks to the simulator. It runs in a worker made of the script that the page carries, so that the page
 * stays alive meanwhile; where a browser refuses workers for files from disk, it runs in the page.
 */
import type { Difference } from "../../trial/verify.ts";
import type { RecordedWindow, Recording } from "../recording/format.ts";
import { USUAL_WINDOW } from "../recording/window-limits.ts";
import { readEmbedded } from "./embedded.ts";
import type { SimulationAnswer, SimulationInput, SimulationRequest } from "./simulator.ts";

type Asked<T> = T extends unknown ? Omit<T, "id"> : never;

interface Port {
  post(request: SimulationRequest): void;
}

class Simulator {
  readonly #waiting = new Map<number, (answer: SimulationAnswer) => void>();
  #port: Promise<Port> | null = null;
  #asked = 0;

  async ask(request: Asked<SimulationRequest>): Promise<SimulationAnswer> {
    this.#port ??= this.#connect();
    const port = await this.#port;
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      port.post({ ...request, id } as SimulationRequest);
    });
  }

  async #connect(): Promise<Port> {
    const script = await readEmbedded("simulator");
    if (script === null) throw new Error("this report carries no simulator");
    const hear = (answer: SimulationAnswer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    };
    try {
      const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
      const worker = new Worker(url);
      worker.onmessage = ({ data }: MessageEvent<SimulationAnswer>) => hear(data);
      return { post: (request) => worker.postMessage(request) };
    } catch {
      const scope: {
        onmessage?: (event: { data: SimulationRequest }) => void;
        postMessage: typeof hear;
      } = {
        postMessage: hear,
      };
      new Function("globalThis", script)(scope);
      return { post: (request) => setTimeout(() => scope.onmessage?.({ data: request }), 20) };
    }
  }
}

const simulator = new Simulator();

function failed(answer: SimulationAnswer): never {
  throw new Error("error" in answer ? answer.error : "the simulator gave another answer");
}

/** Runs a trial and records it. Throws an Error with words for people. */
export async function simulate(input: SimulationInput): Promise<Recording> {
  const answer = await simulator.ask({ ask: "record", input });
  return "recording" in answer ? answer.recording : failed(answer);
}

/** The messages around a moment. */
export async function simulateWindow(input: SimulationInput, at: number): Promise<RecordedWindow> {
  const limits = { ...USUAL_WINDOW, focus: at };
  const focus = { at, says: "the cursor" };
  const answer = await simulator.ask({ ask: "window", input, limits, focus });
  return "recording" in answer ? answer.recording.window : failed(answer);
}

/** The first event at which two trials differ; null: they are the same to the last. */
export async function firstDifference(
  input: SimulationInput,
  other: SimulationInput,
): Promise<Difference | null> {
  const answer = await simulator.ask({ ask: "compare", input, other });
  return "difference" in answer ? answer.difference : failed(answer);
}
