// Package itemresult reads replies in which a destination answers for each event of a
// batch by itself. Its readers are pure: the body of a 2xx reply in, outcomes out.
//
//	format    where the results are                        paired by
//	langfuse  {"successes":[…],"errors":[…]}               id
//	bulk      {"items":[{"create":{…}},…]}                 _id where the reply echoes ours, else position
//	posthog   {"results":{"<uuid>":{"result":"ok"}}}       uuid, in any case
//	otlp      {"partialSuccess":{"rejectedSpans":"2"}}     nothing: a number only
//
// What a result means:
//
//	format    delivered                    to be tried again   rejected
//	langfuse  listed in successes          429, 5xx            any other status
//	bulk      2xx; 409 of a create         429, 503            any other status
//	posthog   ok, warning, limited,        retry               drop
//	          unknown words, no result
//	otlp      all that is not counted      never               counted: as many events are sink.Untold
//
// An event without a result, in a reply that has some, is to be tried again, in a reply
// of PostHog that is whole it is delivered. Of several results for one event the worst
// counts: to be tried again before rejected before delivered. Results for events that
// were not sent are ignored.
//
// A body that breaks off has told what it told until then: those results stand, the
// other events are to be tried again. A body without any readable result changes
// nothing: the status said that the batch arrived.
package itemresult
