package ingest

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-dev/millrace/pkg/config"
	"github.com/millrace-dev/millrace/pkg/receiver"
)

// key is a write key that may be used.
type key struct {
	name, tenant string
	sum          [sha256.Size]byte
	receivers    []string // empty: all
}

type keys []key

// newKeys reads the configured hashes. The error names every key with a problem.
func newKeys(configured []config.Key) (keys, error) {
	if len(configured) == 0 {
		return nil, errors.New("no keys: nobody could send anything")
	}
	ks := make(keys, len(configured))
	var problems []error
	for i, c := range configured {
		ks[i] = key{name: c.Name, tenant: c.Tenant, receivers: c.Receivers}
		sum, err := hex.DecodeString(c.SHA256)
		if err != nil || len(sum) != sha256.Size {
			problems = append(problems, fmt.Errorf("key %q: sha256 is not 64 hex digits", c.Name))
			continue
		}
		if c.Tenant == "" {
			problems = append(problems, fmt.Errorf("key %q: no tenant", c.Name))
		}
		copy(ks[i].sum[:], sum)
	}
	return ks, errors.Join(problems...)
}

// find looks a write key up. It compares with all keys, so that the time tells nothing.
func (ks keys) find(text, receiverName string) (*key, error) {
	if text == "" {
		return nil, receiver.Unauthorized("no write key in the request")
	}
	sum := sha256.Sum256([]byte(text))
	found := -1
	for i := range ks {
		if subtle.ConstantTimeCompare(sum[:], ks[i].sum[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return nil, receiver.Unauthorized("unknown write key")
	}
	k := &ks[found]
	if len(k.receivers) > 0 && !slices.Contains(k.receivers, receiverName) {
		return nil, receiver.Forbidden("write key %q may not be used with %s", k.name, receiverName)
	}
	return k, nil
}
