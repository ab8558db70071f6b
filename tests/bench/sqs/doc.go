// Command sqs measures SQS servers side by side and prints one table: the embedded one in memory, on disk and in process, empty and with a million
// messages waiting, and goaws and fauxqs beside it. `make bench-sqs` builds and starts all of them.
//
// Every server runs in a process of its own, except the in-process one; all are up from the beginning and take turns, a few seconds
// each, for several rounds, so that whatever else the machine does hits all of them. The table has the medians. The load is that of
// aws-sdk-go-v2 over loopback: 4 workers, each sending, receiving and deleting batches of 10 messages of 1 KB; messages that were
// deleted count.
//
// It ends with exit code 1 when what the embedded SQS promises did not hold: see promises.
package main
