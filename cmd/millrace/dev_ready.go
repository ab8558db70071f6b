package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"

	"github.com/millrace-dev/millrace/pkg/config"
)

// demoKey is the write key of the quickstart.
const demoKey = "phc_demo"

// readyLine is a contract with scripts.
type readyLine struct {
	Ready    bool   `json:"ready"`
	API      string `json:"api"`
	AWS      string `json:"aws"`
	QueueURL string `json:"queue_url"`
	DLQURL   string `json:"dlq_url"`
	PID      int    `json:"pid"`
}

const readyText = `millrace is ready: events go to %s

  API  %s
  AWS  %s   queues millrace, millrace-dlq; functions millrace-ingest, millrace-flush, millrace-replay

Send an event:

  curl -H 'Authorization: Bearer %s' -d '{"type":"signup","subject":"user-1"}' %s/v1/ingest

Or point a PostHog SDK at it:

  client, err := posthog.NewWithConfig("%s", posthog.Config{Endpoint: "%s"})
  err = client.Enqueue(posthog.Capture{DistinctId: "user-1", Event: "signup"})
  err = client.Close()
`

// announce says that everything runs, and where.
func (d *devCommand) announce(c *console, started *cloud, loaded *config.Config) error {
	if d.JSON {
		return c.printJSON(readyLine{
			Ready: true, API: started.api, AWS: started.aws,
			QueueURL: started.queueURL, DLQURL: started.dlqURL, PID: os.Getpid(),
		})
	}
	key := knownKey(loaded)
	c.print(readyText, strings.Join(sortedNames(loaded.Sinks), ", "), started.api, started.aws, key, started.api, key, started.api)
	return nil
}

// knownKey returns a key that the API takes: the configuration holds only hashes, so it is the quickstart's or a placeholder.
func knownKey(loaded *config.Config) string {
	sum := sha256.Sum256([]byte(demoKey))
	hash := hex.EncodeToString(sum[:])
	for _, key := range loaded.Keys {
		if key.SHA256 == hash {
			return demoKey
		}
	}
	return "YOUR_WRITE_KEY"
}
