// PHOLD (see model.ts) on ns-3's simulator, one measurement per process:
// `ns3 <scheduler> <table file> <pending> <warm-up events> <events> <timeout>` prints a line of
// JSON. Scheduler: Map, Heap, Calendar, PriorityQueue; with "-cancel" after it each event also
// cancels and resets a timeout (Cancel leaves the event in the queue), with "-remove" it takes it out.
#include <ns3/core-module.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

using namespace ns3;

static const int kProcesses = 1024;
static int32_t delays[4096];
static uint32_t randomState = 0x2545f491u;
static uint32_t hashState = 0;
static long handled[kProcesses];
static EventId timers[kProcesses];
static int64_t timeout = 0;
static bool removes = false;
static long handledEvents = 0, warmUp, events;
static uint32_t warmHash;
static clock_t before, after;

static inline uint32_t draw() {
  randomState ^= randomState << 13;
  randomState ^= randomState >> 17;
  randomState ^= randomState << 5;
  return randomState;
}

static inline void mix(uint32_t value) {
  uint32_t mixed = (hashState ^ value) * 0x01000193u;
  hashState = mixed ^ (mixed >> 15);
}

static inline uint32_t now() { return uint32_t(Simulator::Now().GetTimeStep() / 1000); }

static void count() {
  handledEvents++;
  if (handledEvents == warmUp) {
    warmHash = hashState;
    before = clock();
  } else if (handledEvents == warmUp + events) {
    after = clock();
    Simulator::Stop();
  }
}

static void handle(uint32_t arg);

static inline void schedule() {
  uint32_t first = draw();
  uint32_t arg = draw() & 4095;
  Simulator::Schedule(NanoSeconds(int64_t(delays[first >> 20]) * 1000), &handle, arg);
}

static void expire(uint32_t process);

static inline void setTimer(uint32_t process) {
  timers[process] = Simulator::Schedule(NanoSeconds(timeout * 1000), &expire, process);
}

static void expire(uint32_t process) {
  mix(now());
  mix(4096 + process);
  count();
  setTimer(process);
}

static void handle(uint32_t arg) {
  mix(now());
  uint32_t process = arg & (kProcesses - 1);
  handled[process] += 1 + (arg >> 10);
  mix(arg);
  count();
  if (timeout > 0) {
    if (removes) {
      Simulator::Remove(timers[process]);
    } else {
      Simulator::Cancel(timers[process]);
    }
    setTimer(process);
  }
  schedule();
}

int main(int, char** argv) {
  std::string variant = argv[1];
  size_t dash = variant.find('-');
  ObjectFactory factory;
  factory.SetTypeId("ns3::" + variant.substr(0, dash) + "Scheduler");
  Simulator::SetScheduler(factory);
  std::ifstream table(argv[2]);
  for (int32_t& delay : delays) table >> delay;
  long pending = atol(argv[3]);
  warmUp = atol(argv[4]);
  events = atol(argv[5]);
  for (long index = 0; index < pending; index++) schedule();
  if (dash != std::string::npos) {
    removes = variant.substr(dash) == "-remove";
    timeout = atol(argv[6]);
    for (int process = 0; process < kProcesses; process++) setTimer(process);
  }
  Simulator::Run();
  double seconds = double(after - before) / CLOCKS_PER_SEC;
  printf("{\"eventsPerSecond\":%.1f,\"hash\":%u}\n", double(events) / seconds, warmHash);
}
