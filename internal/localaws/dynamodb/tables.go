package dynamodb

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/millrace-dev/millrace/internal/localaws/account"
	"github.com/millrace-dev/millrace/internal/localaws/awsjson"
)

// table is one table with all its items.
type table struct {
	Name    string    `json:"name"`
	Key     string    `json:"key"`  // name of the partition key
	Type    string    `json:"type"` // of it: S or B
	Created time.Time `json:"created"`
	TTL     string    `json:"ttl"` // attribute; empty when switched off
	items   map[string]item
	sweepAt int // number of items at which expired ones are looked for
}

const firstSweep = 512

func newTable() *table { return &table{items: make(map[string]item), sweepAt: firstSweep} }

// tableName is what a table may be called. Source: Amazon DynamoDB API Reference, CreateTable.
var tableName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)

// addTable makes a table. The caller holds the lock.
func (s *Service) addTable(name, key, keyType string) (*table, error) {
	switch {
	case !tableName.MatchString(name):
		return nil, errValidation("TableName must be 3 to 255 letters, digits, '_', '-' or '.': %.300s", name)
	case keyType != "S" && keyType != "B":
		return nil, errValidation("Not emulated here: a partition key has type S or B")
	}
	t := newTable()
	t.Name, t.Key, t.Type, t.Created = name, key, keyType, time.Now().UTC()
	s.tables[name] = t
	s.keepTable(t)
	return t, nil
}

func (s *Service) keepTable(t *table) {
	text, _ := json.Marshal(t) // texts and a time always marshal
	s.journal.Set([]byte(tablePrefix+t.Name), text)
}

// CreateTable makes a table with a partition key of type S or B, unless it exists, and sets the attribute that
// has its time to live, empty for none. It is for the owner of the service; clients post the operation.
func (s *Service) CreateTable(name, key, keyType, ttl string) error {
	return s.locked(func() (err error) {
		t := s.tables[name]
		if t == nil {
			if t, err = s.addTable(name, key, keyType); err != nil {
				return err
			}
		}
		t.TTL = ttl
		s.keepTable(t)
		return nil
	})
}

type keySchema struct {
	AttributeName string
	KeyType       string
}

type attribute struct {
	AttributeName string
	AttributeType string
}

type tableInput struct {
	TableName string
}

// definition is what a table is made of.
type definition struct {
	tableInput
	KeySchema            []keySchema
	AttributeDefinitions []attribute
}

type createTableInput struct {
	definition
	BillingMode string
}

type description struct {
	definition
	TableArn         string
	TableStatus      string
	CreationDateTime float64
	ItemCount        int
}

func (s *Service) createTable(in createTableInput) (out map[string]description, err error) {
	keys, attributes := in.KeySchema, in.AttributeDefinitions
	if len(keys) != 1 || keys[0].KeyType != "HASH" || len(attributes) != 1 || attributes[0].AttributeName != keys[0].AttributeName {
		return out, errValidation("Not emulated here: a table has one partition key and no sort key")
	}
	err = s.locked(func() error {
		if s.tables[in.TableName] != nil {
			return awsjson.Refuse("ResourceInUseException", "Table already exists: %s", in.TableName)
		}
		t, err := s.addTable(in.TableName, keys[0].AttributeName, attributes[0].AttributeType)
		if err == nil {
			out = map[string]description{"TableDescription": s.describe(t)}
		}
		return err
	})
	return out, err
}

func (s *Service) describeTable(in tableInput) (out map[string]description, err error) {
	err = s.onTable(in.TableName, func(t *table) error {
		out = map[string]description{"Table": s.describe(t)}
		return nil
	})
	return out, err
}

func (s *Service) describe(t *table) description {
	return description{
		definition:       definition{tableInput{t.Name}, []keySchema{{t.Key, "HASH"}}, []attribute{{t.Key, t.Type}}},
		TableArn:         account.ARN("dynamodb", "table/"+t.Name),
		TableStatus:      "ACTIVE",
		CreationDateTime: float64(t.Created.UnixMilli()) / 1000, ItemCount: len(t.items),
	}
}

func (s *Service) listTables(struct{}) (map[string][]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string][]string{"TableNames": slices.Sorted(maps.Keys(s.tables))}, nil
}
