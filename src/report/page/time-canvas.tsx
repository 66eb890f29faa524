/**
 * A drawing over time that can be panned and zoomed by mouse, wheel, keyboard and touch.
 *
 * d3-zoom knows the gestures; the span itself is the view model's, so that all drawings move together.
 */
import { select } from "d3-selection";
import { type D3ZoomEvent, type ZoomBehavior, zoom, zoomIdentity } from "d3-zoom";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Canvas } from "./canvas.ts";
import { readPalette } from "./palette.ts";
import type { Span } from "./view-model.ts";

export interface TimeCanvasProps {
  readonly view: Span;
  readonly height: number;
  readonly label: string;
  readonly id: string;
  /** Called in a frame; draws all of it. */
  readonly draw: (canvas: Canvas) => void;
  /** Pixels of the drawing; returns what the pointer is over, for the line below. */
  readonly onPoint?: (x: number, y: number, canvas: Canvas) => string | null;
  /** A click that was no drag; true when it was used up and must not move the cursor. */
  readonly onClick?: (x: number, y: number, canvas: Canvas) => boolean;
  readonly children?: ComponentChildren;
}

/** Room for labels. */
export function labelWidth(width: number): number {
  return width < 600 ? 78 : 104;
}

export function TimeCanvas(props: TimeCanvasProps) {
  const element = useRef<HTMLCanvasElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const node = element.current as HTMLCanvasElement;
    const stage = new Stage(node, () => latest.current);
    return () => stage.dispose();
  }, []);

  // Drawn anew whenever the properties change; the view model's changes are the stage's business.
  useEffect(() => {
    latest.current.view.changed();
  });

  return (
    <div class="time-canvas">
      <canvas
        ref={element}
        id={props.id}
        tabIndex={0}
        role="img"
        aria-label={props.label}
        style={{ height: `${props.height}px` }}
        onPointerMove={(event) => {
          const canvas = stages.get(event.currentTarget)?.canvas();
          const words =
            canvas === undefined
              ? null
              : (props.onPoint?.(event.offsetX, event.offsetY, canvas) ?? null);
          const box = tip.current as HTMLDivElement;
          box.textContent = words ?? "";
          box.hidden = words === null;
          if (words === null) return;
          const right = event.offsetX > event.currentTarget.clientWidth / 2;
          box.style.left = right ? "auto" : `${event.offsetX + 14}px`;
          box.style.right = right
            ? `${event.currentTarget.clientWidth - event.offsetX + 14}px`
            : "auto";
          box.style.top = `${event.offsetY + 16}px`;
        }}
        onPointerLeave={() => {
          (tip.current as HTMLDivElement).hidden = true;
        }}
        onKeyDown={(event) => {
          if (moveByKey(event.key, event.shiftKey, props.view)) event.preventDefault();
        }}
      />
      <div class="tip" ref={tip} hidden />
      {props.children}
    </div>
  );
}

/** Arrow keys pan, + and - zoom, Home and End go to the ends, 0 shows all. */
function moveByKey(key: string, shift: boolean, view: Span): boolean {
  const step = shift ? 0.5 : 0.1;
  switch (key) {
    case "ArrowLeft":
      view.pan(-step);
      return true;
    case "ArrowRight":
      view.pan(step);
      return true;
    case "+":
    case "=":
      view.zoom(0.7);
      return true;
    case "-":
      view.zoom(1 / 0.7);
      return true;
    case "0":
      view.look(0, view.end);
      return true;
    case "Home":
      view.moveTo(0);
      return true;
    case "End":
      view.moveTo(view.end);
      return true;
    default:
      return false;
  }
}

const stages = new WeakMap<Element, Stage>();

/** One canvas with its size, its gestures and its place in the view model's frames. */
class Stage {
  readonly #element: HTMLCanvasElement;
  readonly #props: () => TimeCanvasProps;
  readonly #zoom: ZoomBehavior<HTMLCanvasElement, unknown>;
  readonly #release: () => void;
  readonly #resize: ResizeObserver;
  readonly #theme = matchMedia("(prefers-color-scheme: dark)");
  // Paper is light, whatever the screen is.
  readonly #print = matchMedia("print");
  #palette = readPalette();
  readonly #repaint = () => {
    this.#palette = readPalette();
    this.draw();
  };

  constructor(element: HTMLCanvasElement, props: () => TimeCanvasProps) {
    this.#element = element;
    this.#props = props;
    stages.set(element, this);
    this.#zoom = zoom<HTMLCanvasElement, unknown>()
      .filter((event: Event) => this.#isOurs(event))
      .on("zoom", (event: D3ZoomEvent<HTMLCanvasElement, unknown>) => this.#zoomed(event));
    const selection = select(element);
    selection.call(this.#zoom).on("dblclick.zoom", null);
    selection.on("click", (event: MouseEvent) => this.#clicked(event));
    const { view } = props();
    this.#release = view.subscribe(() => this.draw());
    this.#resize = new ResizeObserver(() => this.draw());
    this.#resize.observe(element);
    this.#theme.addEventListener("change", this.#repaint);
    this.#print.addEventListener("change", this.#repaint);
    addEventListener("trial-theme", this.#repaint);
  }

  dispose(): void {
    this.#release();
    this.#resize.disconnect();
    this.#theme.removeEventListener("change", this.#repaint);
    this.#print.removeEventListener("change", this.#repaint);
    removeEventListener("trial-theme", this.#repaint);
  }

  /** The wheel zooms; sideways, or with Shift, it pans. Other buttons are not ours. */
  #isOurs(event: Event): boolean {
    if (event instanceof WheelEvent) {
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (sideways || (event.shiftKey && !event.ctrlKey)) {
        event.preventDefault();
        const by = (event.deltaX || event.deltaY) / this.#width();
        this.#props().view.pan(by);
        return false;
      }
      return true;
    }
    return !(event instanceof MouseEvent && event.button !== 0);
  }

  #width(): number {
    const { clientWidth } = this.#element;
    return Math.max(1, clientWidth - labelWidth(clientWidth));
  }

  #zoomed({ transform, sourceEvent }: D3ZoomEvent<HTMLCanvasElement, unknown>): void {
    if (sourceEvent == null) return;
    const { view } = this.#props();
    const left = labelWidth(this.#element.clientWidth);
    const perPixel = view.end / this.#width();
    const from = (left - transform.x - left * transform.k) / transform.k;
    const span = view.end / transform.k;
    view.look(from * perPixel, from * perPixel + span);
  }

  /** d3-zoom's own idea of the span, set to the view model's. */
  #follow(): void {
    const { view } = this.#props();
    const left = labelWidth(this.#element.clientWidth);
    const k = view.end / (view.to - view.from);
    const x = left - left * k - (view.from * k * this.#width()) / view.end;
    (this.#element as HTMLCanvasElement & { __zoom: unknown }).__zoom = zoomIdentity
      .translate(x, 0)
      .scale(k);
    this.#zoom.scaleExtent([1, view.end / 200]);
  }

  canvas(): Canvas {
    const { clientWidth } = this.#element;
    return {
      context: this.#element.getContext("2d") as CanvasRenderingContext2D,
      width: clientWidth,
      height: this.#props().height,
      left: labelWidth(clientWidth),
      palette: this.#palette,
    };
  }

  #clicked(event: MouseEvent): void {
    if (event.defaultPrevented) return;
    const canvas = this.canvas();
    const { view, onClick } = this.#props();
    if (onClick?.(event.offsetX, event.offsetY, canvas)) return;
    if (event.offsetX < canvas.left) return;
    const share = (event.offsetX - canvas.left) / (canvas.width - canvas.left);
    view.moveTo(view.from + share * (view.to - view.from));
  }

  draw(): void {
    const element = this.#element;
    const { clientWidth } = element;
    if (clientWidth === 0) return;
    const { height, draw } = this.#props();
    const ratio = devicePixelRatio || 1;
    const wide = Math.round(clientWidth * ratio);
    const high = Math.round(height * ratio);
    if (element.width !== wide || element.height !== high) {
      element.width = wide;
      element.height = high;
    }
    const canvas = this.canvas();
    canvas.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#follow();
    draw(canvas);
  }
}
