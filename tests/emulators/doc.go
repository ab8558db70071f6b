// Package emulators runs code that speaks to AWS against servers that others wrote, without Docker: MiniStack (Python) and
// dynalite (Node). What agrees with our own embedded AWS only could be wrong in both places.
//
// They are installed on first use, pinned: MiniStack into .tools, as localstack/emulator.py does it, dynalite into node/node_modules.
// A machine without Python or Node leaves them out; CI may not.
package emulators
