package localaws_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/internal/localaws"
	"github.com/millrace-dev/millrace/internal/localaws/lambda"
)

// BenchmarkServer_FrontDoor carries a request of 50 events of 1 KB through HTTP, the event, a real process and back.
func BenchmarkServer_FrontDoor(b *testing.B) {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	f := lambda.Function{Name: "accept", Bootstrap: self, Timeout: time.Minute, Environment: map[string]string{roleVariable: "accept"}}
	server, err := localaws.Start(b.Context(), localaws.Options{Functions: []lambda.Function{f}, FrontDoor: "accept"})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = server.Close(context.Background()) }()
	defer http.DefaultClient.CloseIdleConnections()
	one := `{"event":"page viewed","distinct_id":"u1","properties":{"filler":"` + strings.Repeat("x", 950) + `"}}`
	body := "[" + strings.Repeat(one+",", 49) + one + "]"
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		response, err := http.Post(server.APIURL()+"/batch", "application/json", strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != 202 {
			b.Fatalf("status %d", response.StatusCode)
		}
	}
}
