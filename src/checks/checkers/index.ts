/** What the rest of the project uses of the checkers. */

export type { AnalysisOptions, HistoryAnalysis, HistoryStatistics } from "./analysis.ts";
export { analysis } from "./analysis.ts";
export type { AnomalyDescription, AnomalyName } from "./anomaly.ts";
export { ANOMALIES, ANOMALY_NAMES } from "./anomaly.ts";
export type { Evidence, Finding, FindingList } from "./findings.ts";
export type { IndexedHistory } from "./indexed-history.ts";
export type { Lag } from "./realtime-lag.ts";
export { visitRealtimeLags, worstRealtimeLag } from "./realtime-lag.ts";
export type { UnseenPoint } from "./unseen.ts";
export { unseenSeries } from "./unseen.ts";
export type { CheckOptions, HistoryVerdict, JudgedAnomaly } from "./verdict.ts";
export { allowedAnomalies, checkHistory, judge } from "./verdict.ts";
export type { KeyOrder, VersionOrders } from "./version-order.ts";
