package dynamodb

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

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

// maxRequestBytes bounds a request. Source: Amazon DynamoDB Developer Guide: 16 MB for any request.
const maxRequestBytes = 16 << 20

// Options configure a service.
type Options struct {
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

// Open returns a service with everything that the journal holds, and keeps every further change
// there; with a nil journal all is in memory. The journal must have been opened with JournalVersion and
// has to outlive the service.
func Open(options Options, from *journal.Journal) (*Service, error) {
	s := &Service{options: options, journal: from, tables: make(map[string]*table)}
	s.protocol = &awsjson.Service{
		Target: "DynamoDB_20120810.", Namespace: "com.amazonaws.dynamodb.v20120810#", MaxRequestBytes: maxRequestBytes,
		Faults: cmp.Or(options.Faults, new(Faults)), Logger: cmp.Or(options.Logger, slog.New(slog.DiscardHandler)),
		Operations: map[string]awsjson.Operation{
			"CreateTable":   decoded(s.createTable),
			"DescribeTable": decoded(s.describeTable),
			"ListTables":    decoded(s.listTables),
			"PutItem":       decoded(s.putItem),
			"GetItem":       decoded(s.getItem),
			"BatchGetItem":  decoded(s.batchGetItem),
			"Scan":          decoded(s.scan),
		},
	}
	if from == nil {
		return s, nil
	}
	if err := cmp.Or(from.Each([]byte(tablePrefix), s.restoreTable), from.Each([]byte(itemPrefix), s.restoreItem)); err != nil {
		return nil, fmt.Errorf("dynamodb journal: %w", err)
	}
	return s, nil
}

func (s *Service) restoreTable(_, value []byte) error {
	t := newTable()
	err := json.Unmarshal(value, t)
	s.tables[t.Name] = t
	return err
}

func (s *Service) restoreItem(key, value []byte) error {
	name, id, _ := strings.Cut(string(key[len(itemPrefix):]), "\x00")
	t := s.tables[name]
	if t == nil {
		return errors.New("an item of no table")
	}
	var it item
	err := json.Unmarshal(value, &it)
	t.items[id] = it
	return err
}

// decoded makes an operation of a method with typed input and output. A parameter that the input does not
// have is refused: it would be ignored in silence otherwise.
func decoded[In, Out any](method func(in In) (Out, error)) awsjson.Operation {
	return awsjson.Decoded(func(_ *http.Request, in In) (Out, error) { return method(in) }, json.RejectUnknownMembers(true))
}

// ServeHTTP answers the AWS JSON 1.0 protocol. Signatures are not verified.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.protocol.ServeHTTP(w, r) }

// locked runs fn under the lock, as one atomic change, and returns when what it changed or saw is on disk.
func (s *Service) locked(fn func() error) error {
	s.mu.Lock()
	err := fn()
	ticket := s.journal.Submit()
	s.mu.Unlock()
	return cmp.Or(ticket.Wait(), err)
}

// onTable is locked for one table.
func (s *Service) onTable(name string, fn func(t *table) error) error {
	return s.locked(func() error {
		t, err := s.table(name)
		if err != nil {
			return err
		}
		return fn(t)
	})
}

func (s *Service) table(name string) (*table, error) {
	t := s.tables[name]
	if t == nil {
		return nil, awsjson.Refuse("ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
	}
	return t, nil
}
