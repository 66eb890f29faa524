/** The workloads that scenarios can name, one sentence each: for `list` and for error messages. */

export const WORKLOADS = {
  produce:
    "Sends unique records at a rate, with keys or to partitions in turn; records every outcome",
  consume: "Polls assigned partitions in a loop, perhaps another part of them now and then",
} as const;

export type WorkloadName = keyof typeof WORKLOADS;
