// Package gate stands before one sink and decides whether, and when, an attempt may go
// through: how many at once (a limit that adapts), how many events per second, and
// whether the sink is well enough to be asked at all (a circuit breaker).
//
// # The breaker
//
//	state      an attempt               goes to
//	closed     runs                     open after FailuresToOpen failures in a row, or one setup failure
//	open       is refused               half-open after OpenFor
//	half-open  one runs, others wait a  closed when it succeeds, open when it fails
//	           tenth of OpenFor, ten
//	           seconds at most
//	any        -                        what another environment wrote, see below
//
// A failure is an attempt of class transient, throttled or setup: the sink, or the way
// to it, is in trouble. A sink that rejects an event is well; an attempt that was
// cancelled says nothing. An attempt that began before the latest change of state says nothing
// either.
//
// # What environments tell each other
//
// A Gate belongs to one execution environment. With a Board, which a store of pkg/dedup
// carries, the environments of a deployment share their breakers:
//
//   - what an attempt changes, to open or to closed, is written down at once, in one note for each sink;
//   - every five seconds at most, when a flush begins, the notes of all sinks are read in one
//     call. A note that is new is believed: open until the time that it says, or closed;
//   - whoever wants to probe first adds a note that it does, for ten seconds (AddNote). Of several
//     environments one has added it and probes; the others ask again after a tenth of OpenFor, ten
//     seconds at most, and find out meanwhile what came of it.
//
// A note is JSON, below the name "sink/" and the sink's; times are Unix milliseconds:
//
//	{"v":1,"state":"open","until":1800000030000,"class":"throttled","cause":"status 429","at":1800000000000,"by":"9f86d081884c7d65"}
//	{"v":1,"state":"closed","at":1800000031000,"by":"9f86d081884c7d65"}
//
// The claim of a probe is below "probe/" and the sink's name; its text is who probes.
//
// Nothing depends on any of this:
//
//	when                                  then
//	the store is away, slow or throttles  a call is given up after half a second, the next is made after 30 s;
//	                                      each environment goes by what it sees itself; one warning for all of it
//	a note is old                         it is gone ten seconds after it could shut anything
//	a clock is wrong                      a note shuts a sink for OpenFor at most from when it was first read;
//	                                      claims of probes are respected for 20 s, then each environment probes by itself
//	the one who probes is killed          its claim is over after ten seconds
//	the reply to a claim was lost         nobody probes for ten seconds
//	two notes meet                        the last writer wins; five seconds later all go by that one
//	a note was read while an attempt      the attempt is believed
//	changed the state
//	a note is of a newer format,          it is ignored, with a warning
//	or cannot be read
//
// So a note can cost a healthy sink OpenFor, and half a minute more when the one who probes is
// gone or clocks are wrong.
//
// A Gate and a Board are safe for concurrent use.
package gate
