"""PHOLD (see model.ts) on SimPy 3, one measurement per process.

`phold-simpy.py <variant> <table file> <pending> <warm-up events> <events> <timeout>` prints a line
of JSON. Variants: callbacks (a Timeout with one callback, SimPy's fastest way), processes (a
generator per pending event, SimPy's usual way). SimPy has no cancellation, so no such variant.
"""

import json
import sys
import time

import simpy
from simpy.events import Timeout

variant, table_file = sys.argv[1:3]
pending, warm_up, events = (int(word) for word in sys.argv[3:6])
with open(table_file) as table:
    delays = [int(line) for line in table]

PROCESSES = 1024
environment = simpy.Environment()
random = 0x2545F491
hash_state = 0
handled = [0] * PROCESSES


def draw_event():
    """A delay, and a process with a kind."""
    global random
    value = random
    value ^= (value << 13) & 0xFFFFFFFF
    value ^= value >> 17
    value ^= (value << 5) & 0xFFFFFFFF
    delay = delays[value >> 20]
    value ^= (value << 13) & 0xFFFFFFFF
    value ^= value >> 17
    value ^= (value << 5) & 0xFFFFFFFF
    random = value
    return delay, value & 4095


def handle(arg):
    global hash_state
    mixed = ((hash_state ^ (environment.now & 0xFFFFFFFF)) * 0x01000193) & 0xFFFFFFFF
    mixed ^= mixed >> 15
    handled[arg & (PROCESSES - 1)] += 1 + (arg >> 10)
    mixed = ((mixed ^ arg) * 0x01000193) & 0xFFFFFFFF
    hash_state = mixed ^ (mixed >> 15)


def fire(event):
    handle(event._value)
    delay, arg = draw_event()
    Timeout(environment, delay, arg).callbacks.append(fire)


def process():
    while True:
        delay, arg = draw_event()
        yield Timeout(environment, delay)
        handle(arg)


# A process starts with an event of its own, which is not one of the model's.
starts = 0
for _ in range(pending):
    if variant == "processes":
        environment.process(process())
        starts += 1
    else:
        first_delay, first_arg = draw_event()
        Timeout(environment, first_delay, first_arg).callbacks.append(fire)

step = environment.step
for _ in range(warm_up + starts):
    step()
warm_hash = hash_state
before = time.process_time()
for _ in range(events):
    step()
seconds = time.process_time() - before
print(json.dumps({"eventsPerSecond": events / seconds, "hash": warm_hash}))
