package telemetry

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/ledger"
)

// Namespace is the CloudWatch namespace of all metrics.
const Namespace = "Millrace"

// The members of a line beside the counters.
const (
	memberRequestID = "requestId"
	memberReceiver  = "receiver"
	memberTenant    = "tenant"
	memberSink      = "sink"
	memberClass     = "class"
)

// AppendEMF appends entries to dst as lines of the embedded metric format: one for all
// counters that have receiver, tenant, sink and class in common. The lines are sorted.
// An empty requestID is left out. It does not change entries.
//
// The format: Amazon CloudWatch User Guide, "Specification: Embedded metric format".
func AppendEMF(dst []byte, at time.Time, requestID string, entries []ledger.Entry) []byte {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b ledger.Entry) int {
		return cmp.Or(compareProperties(a, b), cmp.Compare(a.Counter, b.Counter))
	})
	for len(entries) > 0 {
		end := 1
		for end < len(entries) && compareProperties(entries[0], entries[end]) == 0 {
			end++
		}
		dst = appendLine(dst, at, requestID, entries[:end])
		entries = entries[end:]
	}
	return dst
}

// compareProperties orders entries by what the counters of one line share.
func compareProperties(a, b ledger.Entry) int {
	return cmp.Or(
		cmp.Compare(a.Receiver, b.Receiver), cmp.Compare(a.Tenant, b.Tenant),
		cmp.Compare(a.Sink, b.Sink), cmp.Compare(a.Class, b.Class),
	)
}

// appendLine appends one line for entries that share their properties.
func appendLine(dst []byte, at time.Time, requestID string, entries []ledger.Entry) []byte {
	dst = append(dst, `{"_aws":{"Timestamp":`...)
	dst = strconv.AppendInt(dst, at.UnixMilli(), 10)
	dst = append(dst, `,"CloudWatchMetrics":[{"Namespace":"`+Namespace+`","Dimensions":`...)
	dst = append(dst, dimensionSets(entries[0].Key)...)
	dst = append(dst, `,"Metrics":[`...)
	for i, e := range entries {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"Name":`...)
		dst = appendString(dst, string(e.Counter))
		dst = append(dst, `,"Unit":"Count"}`...)
	}
	dst = append(dst, `]}]}`...)
	dst = appendMember(dst, memberRequestID, requestID)
	dst = appendMember(dst, memberReceiver, entries[0].Receiver)
	dst = appendMember(dst, memberTenant, entries[0].Tenant)
	dst = appendMember(dst, memberSink, entries[0].Sink)
	dst = appendMember(dst, memberClass, entries[0].Class)
	for _, e := range entries {
		dst = append(dst, ',')
		dst = appendString(dst, string(e.Counter))
		dst = append(dst, ':')
		dst = strconv.AppendInt(dst, int64(e.Count), 10)
	}
	return append(dst, "}\n"...)
}

// dimensionSets says by what CloudWatch sums up. A class has a sum of its own beside
// that of its sink, so that the sink's sum is complete.
func dimensionSets(key ledger.Key) string {
	switch {
	case key.Sink != "" && key.Class != "":
		return `[["` + memberSink + `"],["` + memberSink + `","` + memberClass + `"]]`
	case key.Sink != "":
		return `[["` + memberSink + `"]]`
	case key.Receiver != "":
		return `[["` + memberReceiver + `"]]`
	}
	return `[[]]`
}

// appendMember appends a text member, unless it is empty.
func appendMember(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, `,"`+name+`":`...)
	return appendString(dst, value)
}

func appendString(dst []byte, text string) []byte {
	// The only error is invalid UTF-8, which is replaced: a metric line must be JSON.
	dst, _ = jsontext.AppendQuote(dst, text)
	return dst
}
