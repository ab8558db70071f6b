package journal

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// Get returns a copy of a key's value on disk, nil when there is none. It sees what was waited for.
func (j *Journal) Get(key []byte) ([]byte, error) {
	if err := j.Err(); err != nil {
		return nil, err
	}
	value, closer, err := j.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(j.options.Dir, err)
	}
	value = bytes.Clone(value)
	return value, closer.Close()
}
