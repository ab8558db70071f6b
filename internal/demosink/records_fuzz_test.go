package demosink

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzParseRecords: what is read is valid JSON on one line, and reading it again gives the same.
func FuzzParseRecords(f *testing.F) {
	f.Add([]byte("{\"id\":\"a\"}\n{\"uuid\":\"b\"}\n"))
	f.Add([]byte(`[{"id":"a","data":{"uuid":"c"}},{"data":{"uuid":"c"}}]`))
	f.Add([]byte(`[{"id":"a"}`))
	f.Add([]byte(`{"data":{"data":{"uuid":"x"}},"uuid":""}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		records, err := parseRecords(body)
		if err != nil {
			return
		}
		var again bytes.Buffer
		for _, record := range records {
			if !json.Valid(record.JSON) || bytes.ContainsAny(record.JSON, "\n\r") {
				t.Fatalf("record %q is not JSON on one line", record.JSON)
			}
			again.Write(append(record.JSON, '\n'))
		}
		second, err := parseRecords(again.Bytes())
		if err != nil || len(second) != len(records) {
			t.Fatalf("reading again: %d records and %v, want %d and nil", len(second), err, len(records))
		}
		for i := range second {
			if second[i].ID != records[i].ID {
				t.Fatalf("id of record %d = %q, want %q", i, second[i].ID, records[i].ID)
			}
		}
	})
}
