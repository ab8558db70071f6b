// Package field reads single fields of an event's data, in one pass and without
// decoding the rest. Dedup rules and filters name fields in the same words, and agree on
// what a field says.
//
// A path is names joined by dots, or a JSON Pointer where a name contains a dot or is
// empty:
//
//	flag.key    {"flag":{"key":"dark"}}     the text dark
//	/flag.key   {"flag.key":"dark"}         the text dark
//	subject.id  {"subject":{}}              missing
//
// Paths lead through objects, not into lists. Where one path ends and another goes on
// through the same field, the shorter one gets it.
package field
