/**
 * What the controller of a test cluster sends to the brokers, request by request, in short lines:
 *
 *     LeaderAndIsr t-0 2/0/1 [2,3] of 2,3,4 +5 -4 new; leaders 2
 *     UpdateMetadata t-0 2/0/1 [2,3] of 2,3,4 offline 4; live 1,2,3
 *     StopReplica t-0 epoch 1 delete
 *
 * Leader, leader epoch and partition epoch stand as 2/0/1; +5 and -4 are adding and removing replicas.
 */
import type { Frame, RequestBody } from "../../protocol/messages.ts";
import { KAFKA_SERVICE } from "../../protocol/service.ts";
import type { TestCluster } from "../../testing/test-cluster.ts";

export class ControlTap {
  /** Controller id, controller epoch and broker epoch of each request [CTL-32]. */
  readonly headers: {
    readonly to: number;
    readonly controllerId: number;
    readonly controllerEpoch: number;
    readonly brokerEpoch: number;
  }[] = [];
  #lines: { readonly to: number; readonly line: string }[] = [];
  readonly #cluster: TestCluster;

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    cluster.world.network.tap = {
      sent: (_from, to, service, message) => {
        if ((service as object) !== KAFKA_SERVICE) return;
        // The handshake of a connection passes here, too.
        const { api, response, body } = message as Partial<Frame>;
        if (response === false) this.#sent(to, api as Frame["api"], body as Frame["body"]);
      },
      arrived() {},
    };
  }

  /** What each broker was sent since the last call; brokers that were sent the same stand together. */
  take(): { readonly [brokers: string]: readonly string[] } {
    const groups = new Map<string, { readonly to: string[]; readonly lines: readonly string[] }>();
    for (let broker = 1; broker <= this.#cluster.brokers.length; broker++) {
      const lines = this.#lines.filter(({ to }) => to === broker).map(({ line }) => line);
      const same = groups.get(lines.join("\n"));
      if (same !== undefined) same.to.push(`b${broker}`);
      else groups.set(lines.join("\n"), { to: [`b${broker}`], lines });
    }
    this.#lines = [];
    const sent = [...groups.values()].filter(({ lines }) => lines.length > 0);
    return Object.fromEntries(sent.map(({ to, lines }) => [to.join(" "), lines]));
  }

  #sent(node: number, api: Frame["api"], body: Frame["body"]): void {
    const to = this.#cluster.brokers.findIndex(({ id }) => id === node) + 1;
    let parts: string;
    if (api === "LeaderAndIsr") parts = leaderAndIsr(body as RequestBody["LeaderAndIsr"]);
    else if (api === "UpdateMetadata")
      parts = updateMetadata(body as RequestBody["UpdateMetadata"]);
    else if (api === "StopReplica") parts = stopReplica(body as RequestBody["StopReplica"]);
    else return;
    this.#lines.push({ to, line: `${api} ${parts}` });
    const { controllerId, controllerEpoch, brokerEpoch } = body as RequestBody["LeaderAndIsr"];
    this.headers.push({ to, controllerId, controllerEpoch, brokerEpoch });
  }
}

function leaderAndIsr({ topicStates, liveLeaders }: RequestBody["LeaderAndIsr"]): string {
  const states = topicStates.flatMap(({ topicName, partitionStates }) =>
    partitionStates.map((state) => {
      const { partitionIndex, leader, leaderEpoch, partitionEpoch, isr, replicas } = state;
      const epochs = `${leader}/${leaderEpoch}/${partitionEpoch}`;
      const moving = [
        ...state.addingReplicas.map((id) => ` +${id}`),
        ...state.removingReplicas.map((id) => ` -${id}`),
      ];
      const lists = `[${isr.join(",")}] of ${replicas.join(",")}${moving.join("")}`;
      return `${topicName}-${partitionIndex} ${epochs} ${lists}${state.isNew ? " new" : ""}`;
    }),
  );
  return `${states.join(", ")}; leaders ${liveLeaders.map(({ brokerId }) => brokerId).join(",")}`;
}

function updateMetadata({ topicStates, liveBrokers }: RequestBody["UpdateMetadata"]): string {
  const states = topicStates.flatMap(({ topicName, partitionStates }) =>
    partitionStates.map((state) => {
      const { partitionIndex, leader, leaderEpoch, zkVersion, isr, replicas } = state;
      const lists = `[${isr.join(",")}] of ${replicas.join(",")}`;
      const offline =
        state.offlineReplicas.length === 0 ? "" : ` offline ${state.offlineReplicas.join(",")}`;
      return `${topicName}-${partitionIndex} ${leader}/${leaderEpoch}/${zkVersion} ${lists}${offline}`;
    }),
  );
  return `${states.join(", ") || "nothing"}; live ${liveBrokers.map(({ id }) => id).join(",")}`;
}

function stopReplica({ topicStates }: RequestBody["StopReplica"]): string {
  return topicStates
    .flatMap(({ topicName, partitionStates }) =>
      partitionStates.map(
        ({ partitionIndex, leaderEpoch, deletePartition }) =>
          `${topicName}-${partitionIndex} epoch ${leaderEpoch}${deletePartition ? " delete" : ""}`,
      ),
    )
    .join(", ");
}
