// Package pattern is the filter language of event-source mappings over queues.
//
//	{"body": {"type": ["track", {"prefix": "page"}], "$or": [{"n": [{"numeric": [">", 3]}]}, {"a": {"b": [{"exists": false}]}}]}}
//
// Objects are matched member by member, and all must match; a list matches when one of its rules does; a list in the message matches when
// one of its elements does. Rules: a text, a number (as it is written: 300 is not 3e2), true, false, null, prefix, suffix,
// equals-ignore-case, anything-but (a text, a number or a list of them), numeric (one bound or two), exists. $or matches when one of
// its objects does. Source: "Filter rule syntax" and "Using event filtering with an Amazon SQS event source", Lambda developer guide.
//
// As with AWS, only the body can be looked at. A pattern of an object matches no body that is anything but a JSON object, and a pattern
// of a list, for bodies of plain text, matches no body that is one. What else EventBridge knows (wildcard, cidr) is refused.
package pattern
