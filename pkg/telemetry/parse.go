package telemetry

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/ledger"
)

// Limits of what a reader takes for a metric line.
const (
	// maxLineBytes is far above what AppendEMF writes and what CloudWatch takes.
	maxLineBytes = 256 << 10
	// maxCount keeps sums of hostile lines from overflowing.
	maxCount = 1 << 40
)

// members are the members of a line, as they stand there.
type members map[string]jsontext.Value

// metadata is what is read of the member _aws.
type metadata struct {
	CloudWatchMetrics []struct {
		Namespace string
		Metrics   []struct{ Name string }
	}
}

// ParseLine returns the counts in one line of a function's output. Lines that are no
// metrics of Millrace's, such as those of its logs, have none.
func ParseLine(line []byte) []ledger.Entry {
	// Most lines are logs; this saves reading them as JSON.
	if len(line) > maxLineBytes || !bytes.HasPrefix(line, []byte("{")) || !bytes.Contains(line, []byte(`"_aws"`)) {
		return nil
	}
	var root members
	var aws metadata
	if json.Unmarshal(line, &root) != nil || json.Unmarshal(root["_aws"], &aws) != nil {
		return nil
	}
	key := ledger.Key{
		Receiver: root.text(memberReceiver), Tenant: root.text(memberTenant),
		Sink: root.text(memberSink), Class: root.text(memberClass),
	}
	var entries []ledger.Entry
	for _, directive := range aws.CloudWatchMetrics {
		if directive.Namespace != Namespace {
			continue
		}
		for _, metric := range directive.Metrics {
			if count := root.count(metric.Name); count > 0 {
				key.Counter = ledger.Counter(metric.Name)
				entries = append(entries, ledger.Entry{Key: key, Count: count})
			}
		}
	}
	return entries
}

// text returns a text member, empty when it is absent or no text.
func (m members) text(name string) string {
	var text string
	if json.Unmarshal(m[name], &text) != nil {
		return ""
	}
	return text
}

// count returns a whole number above 0, and 0 for everything else.
func (m members) count(name string) int {
	count, err := strconv.Atoi(string(m[name]))
	if err != nil || count < 0 || count > maxCount {
		return 0
	}
	return count
}
