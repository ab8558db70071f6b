package receiver_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/pkg/receiver"
)

// benchArray returns an array of n events of about 1 KB.
func benchArray(n int) []byte {
	events := make([]string, n)
	for i := range events {
		events[i] = fmt.Sprintf(`{"id":"0195e0a4-3c1b-7c55-9d0e-2f1c8a4b%04x","type":"checkout_started","subject":"user-%d","time":"2026-03-01T10:00:00.120Z",`+
			`"properties":{"$lib":"go","$current_url":"https://shop.example/checkout?step=%d","$browser":"Firefox","$screen_width":1920,`+
			`"cart":{"items":[{"sku":"A-%d","qty":2,"price":19.99,"name":"Café \"Noir\" ☕"}],"currency":"EUR","total":%d.48},`+
			`"flags":{"new-checkout":true,"beta":false,"variant":null},"tags":["demo","größe","☕"],"note":"%s"}}`,
			i, i, i%5, i, i, strings.Repeat("lorem ipsum ", 45))
	}
	return []byte("[" + strings.Join(events, ",") + "]")
}

func BenchmarkScanner_Array(b *testing.B) {
	body := benchArray(50)
	limits := receiver.DefaultLimits()
	fields := receiver.Fields{"id", "source", "type", "time", "subject"}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if err := receiver.NewScanner(body, limits).Array(fields, func(item *receiver.Item) {
			if item.Err == nil {
				n++
			}
		}); err != nil || n != 50 {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkBareScan reads the same array with nothing but the JSON decoder.
func BenchmarkBareScan(b *testing.B) {
	body := benchArray(50)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		d := jsontext.NewDecoder(bytes.NewBuffer(body))
		if _, err := d.ReadToken(); err != nil {
			b.Fatal(err)
		}
		for d.PeekKind() != ']' {
			if _, err := d.ReadValue(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
