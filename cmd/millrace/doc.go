// Command millrace runs Millrace on a laptop and looks after it anywhere: `millrace dev` starts everything on an
// embedded AWS, the other commands send events, receive them, look into the queues and replay dead letters.
//
// Every command that reads takes --json and prints one JSON value on standard output; its members are a contract.
// Everything for people besides the result goes to standard error. docs/cli.md holds the help of every command.
//
// Exit codes: 0 done, 1 it failed, 2 the command line or the configuration is wrong, 3 nothing answers at the address.
package main
