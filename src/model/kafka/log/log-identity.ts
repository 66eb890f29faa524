/** Whose log it is, where it lies, and what it needs of the broker around it. */
import type { ProcessContext } from "../../../sim/index.ts";
import type { Switches } from "../../variants/registry.ts";
import type { TopicConfigs } from "../contracts.ts";

/** The log directory that a log lies in, as far as the log is concerned. */
export interface LogHome {
  /** Such as `logs/`. */
  readonly root: string;
  /** True after it refused a write: nothing in it can be used until the next start. */
  readonly offline: boolean;
}

export interface LogIdentity {
  readonly context: ProcessContext;
  readonly brokerId: number;
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string;
  readonly home: LogHome;
  /** Where its files are, with a slash at the end. */
  readonly directory: string;
  readonly topicConfigs: TopicConfigs;
  readonly producerIdExpirationMs: number;
  readonly switches: Switches;
}
