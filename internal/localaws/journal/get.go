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
	return j.get(j.db, key)
}

// GetAll is Get for several keys at one moment: a change is in all of their values or in none.
func (j *Journal) GetAll(keys ...[]byte) (values [][]byte, err error) {
	if err := j.Err(); err != nil {
		return nil, err
	}
	moment := j.db.NewSnapshot()
	defer func() { err = errors.Join(err, moment.Close()) }()
	for _, key := range keys {
		value, err := j.get(moment, key)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

func (j *Journal) get(from pebble.Reader, key []byte) ([]byte, error) {
	value, closer, err := from.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(j.options.Dir, err)
	}
	value = bytes.Clone(value)
	return value, closer.Close()
}
