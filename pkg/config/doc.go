// Package config reads millrace.yaml, the one file that says what Millrace does: which
// write keys it takes, which sinks exist and which events go where.
//
// [Load] and [Parse] read the file into a [Config] and check it as a whole. They report
// every problem at once, each with its line, its key path and what to do about it
// ([Problems]). A Config that they return is complete: defaults are filled in, and
// nothing has to be checked again. It is not changed after, except once by
// [Config.Resolve], which replaces references to secrets with the secrets.
//
// # The tags of a field
//
// Everything about a key stands beside its field, in tags that the decoder, the checks,
// the JSON Schema ([Schema]) and the documentation ([Manual]) all read:
//
//	tag      meaning
//	yaml     name of the key
//	default  value when the key is absent, written as in the file
//	inherit  top-level key whose value is the default (of a sink's own settings)
//	enum     the values that a text may have, separated by |
//	min,max  bounds, both allowed, written as in the file
//	sinks    the sink types that have the key, separated by |; all when absent
//	need     "yes" when the key must be there, "some" when it must not be empty either
package config
