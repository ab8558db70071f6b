// Package sinktest is the contract that every sink keeps, as a test suite for anybody
// who writes one, and the scripted destination that it is tested with.
//
// A sink that speaks HTTP:
//
//	func TestSink_Contract(t *testing.T) {
//		sinktest.RunHTTP(t, sinktest.HTTP{
//			New: func(t *testing.T, to sinktest.Destination) sink.Sink {
//				s, err := mysink.New(mysink.Options{URL: to.URL, Dial: to.Dial, Timeout: 10 * time.Second})
//				if err != nil {
//					t.Fatal(err)
//				}
//				return s
//			},
//			Timeout: 10 * time.Second,
//		})
//	}
//
// Any other sink uses Run, which RunHTTP includes. Nothing sleeps: cases about time run
// in a testing/synctest bubble against a destination in memory, all others on loopback.
//
// A Server is useful on its own: it answers by a script such as
//
//	"503 x3, Retry-After: 2, reset, 200"
//
// and keeps which events it took, as a multiset of ids, to balance against what was sent.
package sinktest
