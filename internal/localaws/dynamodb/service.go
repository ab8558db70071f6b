package dynamodb

import (
	"cmp"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// JournalVersion is the version of what the journal holds, for journal.Options:
//
//	"t" name                     the table, as JSON
//	"i" name "\x00" kind bytes   an item, as the JSON of its attributes; kind is "S" or "B"
const JournalVersion = 1

const (
	tablePrefix = "t"
	itemPrefix  = "i"
)

// Options configure a service.
type Options struct {
	// Region and AccountID appear in ARNs.
	Region, AccountID string
	// Faults lets tests make calls fail; nil means none.
	Faults *Faults
	// Logger gets what is refused, at debug level; nil means nothing.
	Logger *slog.Logger
}

// Service is the emulation: an http.Handler. It is safe for concurrent use.
type Service struct {
	options  Options
	protocol *awsjson.Service

	mu      sync.Mutex
	journal *journal.Journal // nil in memory
	tables  map[string]*table
}

// table is one table with all its items.
type table struct {
	Name    string    `json:"name"`
	Key     string    `json:"key"`     // name of the partition key
	Type    string    `json:"type"`    // of it: S or B
	Created time.Time `json:"created"` //
	TTL     string    `json:"ttl"`     // attribute; empty when switched off
	Billing string    `json:"billing"` // as given
	items   map[string]item
	sweepAt int // number of items at which expired ones are looked for
}

const firstSweep = 512

// Open returns a service with everything that the journal holds, and keeps every further change
// there; with a nil journal all is in memory. The journal must have been opened with JournalVersion and
// has to outlive the service.
func Open(options Options, from *journal.Journal) (*Service, error) {
	options.Faults = cmp.Or(options.Faults, new(Faults))
	options.Logger = cmp.Or(options.Logger, slog.New(slog.DiscardHandler))
	s := &Service{options: options, journal: from, tables: make(map[string]*table)}
	s.protocol = s.newProtocol()
	if from == nil {
		return s, nil
	}
	if err := from.Each([]byte(tablePrefix), s.restoreTable); err != nil {
		return nil, err
	}
	return s, from.Each([]byte(itemPrefix), s.restoreItem)
}

func (s *Service) restoreTable(_, value []byte) error {
	t := &table{items: make(map[string]item), sweepAt: firstSweep}
	if err := json.Unmarshal(value, t); err != nil {
		return errStored(err)
	}
	s.tables[t.Name] = t
	return nil
}

func (s *Service) restoreItem(key, value []byte) error {
	name, id, found := strings.Cut(string(key[len(itemPrefix):]), "\x00")
	t := s.tables[name]
	if !found || t == nil {
		return errStored(errNoTable)
	}
	it, err := parseItem(append([]byte(nil), value...))
	if err != nil {
		return errStored(err)
	}
	t.items[id] = it
	return nil
}

func journalKey(t *table, id string) []byte { return []byte(itemPrefix + t.Name + "\x00" + id) }

func (s *Service) keepTable(t *table) {
	text, _ := json.Marshal(t) // texts and a time always marshal
	s.journal.Set([]byte(tablePrefix+t.Name), text)
}

// sweep removes expired items, when there are many. The caller holds the lock.
func (s *Service) sweep(t *table, now time.Time) {
	if len(t.items) < t.sweepAt {
		return
	}
	for id, it := range t.items {
		if t.TTL != "" && it.expired(t.TTL, now) {
			delete(t.items, id)
			s.journal.Delete(journalKey(t, id))
		}
	}
	t.sweepAt = max(firstSweep, 2*len(t.items))
}
