// PHOLD (see model.ts) on C++'s std::priority_queue, one measurement per process:
// `phold <variant> <table file> <pending> <warm-up events> <events> <timeout>` prints a line of JSON.
// - minimal: a plain struct per event, no handlers: what the bare queue is compared with
// - function: an event holds a std::function, as simulators in C++ are commonly written
// - function-cancel: also cancels and resets a timeout per event, lazily: dead events are skipped
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <queue>
#include <vector>

static const int kProcesses = 1024;
static int32_t delays[4096];
static uint32_t randomState = 0x2545f491u;
static uint32_t hashState = 0;
static uint64_t nextSequence = 0;

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

struct PlainEvent {
  int64_t time;
  uint64_t sequence;
  int32_t arg;
};

struct FunctionEvent {
  int64_t time;
  uint64_t sequence;
  std::function<void()> handler;
};

struct Later {
  template <typename Event>
  bool operator()(const Event& a, const Event& b) const {
    return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
  }
};

struct Minimal {
  std::priority_queue<PlainEvent, std::vector<PlainEvent>, Later> queue;

  void schedule(int64_t now) {
    uint32_t first = draw();
    uint32_t second = draw();
    queue.push({now + delays[first >> 20], nextSequence++, int32_t(second & 4095)});
  }

  void run(long events) {
    for (long count = 0; count < events; count++) {
      PlainEvent event = queue.top();
      queue.pop();
      mix(uint32_t(event.time));
      mix(uint32_t(event.arg));
      schedule(event.time);
    }
  }
};

struct Functions {
  std::priority_queue<FunctionEvent, std::vector<FunctionEvent>, Later> queue;
  int64_t now = 0;
  int64_t timeout = 0;
  long handledEvents = 0;
  long handled[kProcesses] = {};
  // The sequence number of a process's pending timeout: any other one is dead.
  uint32_t timers[kProcesses] = {};

  void at(int64_t time, std::function<void()> handler) {
    queue.push({time, nextSequence++, std::move(handler)});
  }

  void schedule() {
    uint32_t first = draw();
    uint32_t arg = draw() & 4095;
    at(now + delays[first >> 20], [this, arg] { handle(arg); });
  }

  void setTimer(int process) {
    uint32_t sequence = uint32_t(nextSequence);
    timers[process] = sequence;
    at(now + timeout, TimerHandler{this, uint32_t(process), sequence});
  }

  // Not above 16 bytes, so that std::function does not allocate.
  struct TimerHandler {
    Functions* model;
    uint32_t process;
    uint32_t sequence;
    void operator()() const { model->expire(process, sequence); }
  };

  void expire(uint32_t process, uint32_t sequence) {
    if (timers[process] != sequence) return;
    handledEvents++;
    mix(uint32_t(now));
    mix(4096 + process);
    setTimer(process);
  }

  void handle(uint32_t arg) {
    handledEvents++;
    mix(uint32_t(now));
    handled[arg & (kProcesses - 1)] += 1 + (arg >> 10);
    mix(arg);
    if (timeout > 0) setTimer(arg & (kProcesses - 1));
    schedule();
  }

  void run(long events) {
    for (long end = handledEvents + events; handledEvents < end;) {
      // top() is const; the usual way round it, since copying a std::function costs more.
      FunctionEvent event = std::move(const_cast<FunctionEvent&>(queue.top()));
      queue.pop();
      now = event.time;
      event.handler();
    }
  }
};

template <typename Model>
static void measure(Model& model, long warmUp, long events) {
  model.run(warmUp);
  uint32_t hash = hashState;
  clock_t before = clock();
  model.run(events);
  double seconds = double(clock() - before) / CLOCKS_PER_SEC;
  printf("{\"eventsPerSecond\":%.1f,\"hash\":%u}\n", double(events) / seconds, hash);
}

int main(int, char** argv) {
  const char* variant = argv[1];
  std::ifstream table(argv[2]);
  for (int32_t& delay : delays) table >> delay;
  long pending = atol(argv[3]), warmUp = atol(argv[4]), events = atol(argv[5]);
  if (strcmp(variant, "minimal") == 0) {
    static Minimal model;
    for (long count = 0; count < pending; count++) model.schedule(0);
    measure(model, warmUp, events);
    return 0;
  }
  static Functions model;
  for (long count = 0; count < pending; count++) model.schedule();
  if (strcmp(variant, "function-cancel") == 0) {
    model.timeout = atol(argv[6]);
    for (int process = 0; process < kProcesses; process++) model.setTimer(process);
  }
  measure(model, warmUp, events);
}
