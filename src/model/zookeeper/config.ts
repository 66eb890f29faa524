/** Configuration of a ZooKeeper server under its own keys [§9.6]. Times in milliseconds. */

export const ZOOKEEPER_DEFAULTS = {
  /** 3000 is the code's default; every sample configuration says 2000. */
  tickTime: 2_000,
  initLimit: 10,
  syncLimit: 5,
  /** In ticks. */
  minSessionTimeoutTicks: 2,
  maxSessionTimeoutTicks: 20,
  snapCount: 100_000,
  /** Committed proposals kept in memory for DIFF [ZAB-20]. */
  commitLogCount: 500,
  electionFinalizeWaitMs: 200,
  electionNotificationTimeoutMs: 200,
  electionNotificationTimeoutMaxMs: 60_000,
  electionConnectTimeoutMs: 5_000,
} as const;

export type ZooKeeperConfig = { readonly [K in keyof typeof ZOOKEEPER_DEFAULTS]: number };

export function zooKeeperConfig(overrides: Partial<ZooKeeperConfig> = {}): ZooKeeperConfig {
  return { ...ZOOKEEPER_DEFAULTS, ...overrides };
}
