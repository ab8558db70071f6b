// Package oracle judges a chaos run from the outside. It sees what clients sent and were told, what sinks took and what is
// left on the queues at the end. It knows nothing of faults, of packs or of the code under test, and shares no code with it.
//
// What must be true, whatever happened:
//
//   - nothing lost: every event that a client was told is accepted has reached each of its sinks, or is a dead letter of a
//     kind that only a person can end;
//   - nothing invented or altered: a sink has only events that were sent and meant for it, with their bytes;
//   - duplicates within the bound: a sink has an event more often than its client posted it at most as often, over all
//     events, as the faults of the run allow;
//   - nothing left: the queue and the dead letters are empty, because every letter can be replayed to delivery;
//   - books balanced: where the product has had the chance to count, it says what the sinks say.
package oracle
