package httpsink_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace-dev/millrace/pkg/sink"
	"github.com/millrace-dev/millrace/pkg/sink/httpsend"
	"github.com/millrace-dev/millrace/pkg/sink/httpsink"
	"github.com/millrace-dev/millrace/pkg/sink/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const timeout = 10 * time.Second

// variants are the shapes of a request; the contract holds for each.
var variants = map[string]httpsink.Options{
	"NDJSON with gzip":       {},
	"JSON with zstd":         {Encoding: httpsink.JSON, Compression: httpsend.Zstd},
	"NDJSON, not compressed": {Compression: httpsend.None, RequireJSON: true},
}

func TestSink_Contract(t *testing.T) {
	t.Parallel()
	for name, options := range variants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sinktest.RunHTTP(t, sinktest.HTTP{
				Timeout:     timeout,
				JSONReplies: options.RequireJSON,
				New: func(t *testing.T, to sinktest.Destination) sink.Sink {
					o := options
					o.Name, o.URL, o.Dial, o.Timeout = "test", to.URL+"?api_key=q9Zk2Lw7", to.Dial, timeout
					o.Headers = map[string]string{"Authorization": "Bearer s3cr3t/credential", "X-Api-Key": "k-0123456789"}
					s, err := httpsink.New(o)
					if err != nil {
						t.Fatal(err)
					}
					return s
				},
			})
		})
	}
}
