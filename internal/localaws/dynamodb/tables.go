package dynamodb

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

// tableName is what a table may be called. Source: Amazon DynamoDB API Reference, CreateTable.
var tableName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)

type createTableInput struct {
	TableName            string      `json:"TableName"`
	KeySchema            []keySchema `json:"KeySchema"`
	AttributeDefinitions []attribute `json:"AttributeDefinitions"`
	BillingMode          string      `json:"BillingMode"`
	// Accepted without effect: nothing is metered or encrypted here.
	ProvisionedThroughput     jsontext.Value `json:"ProvisionedThroughput"`
	SSESpecification          jsontext.Value `json:"SSESpecification"`
	Tags                      jsontext.Value `json:"Tags"`
	DeletionProtectionEnabled bool           `json:"DeletionProtectionEnabled"`
	TableClass                string         `json:"TableClass"`
}

type keySchema struct {
	AttributeName string `json:"AttributeName"`
	KeyType       string `json:"KeyType"`
}

type attribute struct {
	AttributeName string `json:"AttributeName"`
	AttributeType string `json:"AttributeType"`
}

type description struct {
	TableName            string      `json:"TableName"`
	TableArn             string      `json:"TableArn"`
	TableStatus          string      `json:"TableStatus"`
	KeySchema            []keySchema `json:"KeySchema"`
	AttributeDefinitions []attribute `json:"AttributeDefinitions"`
	CreationDateTime     float64     `json:"CreationDateTime"`
	ItemCount            int         `json:"ItemCount"`
}

func (s *Service) describe(t *table, status string) description {
	return description{
		TableName: t.Name, TableStatus: status,
		TableArn:             "arn:aws:dynamodb:" + s.options.Region + ":" + s.options.AccountID + ":table/" + t.Name,
		KeySchema:            []keySchema{{t.Key, "HASH"}},
		AttributeDefinitions: []attribute{{t.Key, t.Type}},
		CreationDateTime:     float64(t.Created.UnixMilli()) / 1000, ItemCount: len(t.items),
	}
}

type tableDescription struct {
	TableDescription description `json:"TableDescription"`
}

type describedTable struct {
	Table description `json:"Table"`
}

// CreateTable makes a table with a partition key of type S or B, unless it exists with the same key.
// It is for the owner of the service; clients post the operation.
func (s *Service) CreateTable(name, key, keyType, ttl string) error {
	_, err := s.createTable(&createTableInput{
		TableName: name, KeySchema: []keySchema{{key, "HASH"}}, AttributeDefinitions: []attribute{{key, keyType}},
	})
	if refusal, ok := err.(*Error); err != nil && (!ok || refusal.Type != "ResourceInUseException") { //nolint:errorlint // never wrapped
		return err
	}
	_, err = s.updateTimeToLive(&timeToLiveInput{TableName: name, Specification: timeToLive{AttributeName: ttl, Enabled: ttl != ""}})
	return err
}

func (s *Service) createTable(in *createTableInput) (tableDescription, error) {
	if !tableName.MatchString(in.TableName) {
		return tableDescription{}, errValidation("TableName must be 3 to 255 letters, digits, '_', '-' or '.': %.300s", in.TableName)
	}
	if len(in.KeySchema) != 1 || in.KeySchema[0].KeyType != "HASH" || len(in.AttributeDefinitions) != 1 ||
		in.AttributeDefinitions[0].AttributeName != in.KeySchema[0].AttributeName {
		return tableDescription{}, errValidation("Not emulated here: a table has one partition key and no sort key")
	}
	kind := in.AttributeDefinitions[0].AttributeType
	if kind != "S" && kind != "B" {
		return tableDescription{}, errValidation("Not emulated here: a partition key has type S or B")
	}
	s.mu.Lock()
	if s.tables[in.TableName] != nil {
		s.mu.Unlock()
		return tableDescription{}, errTableExists(in.TableName)
	}
	t := &table{
		Name: in.TableName, Key: in.KeySchema[0].AttributeName, Type: kind, Created: time.Now().UTC(),
		Billing: in.BillingMode, items: make(map[string]item), sweepAt: firstSweep,
	}
	s.tables[t.Name] = t
	s.keepTable(t)
	out := tableDescription{s.describe(t, "ACTIVE")}
	ticket := s.journal.Submit()
	s.mu.Unlock()
	return out, kept(ticket)
}

func kept(ticket *journal.Ticket) error {
	if err := ticket.Wait(); err != nil {
		return errKept(err)
	}
	return nil
}

type tableInput struct {
	TableName string `json:"TableName"`
}

func (s *Service) describeTable(in *tableInput) (describedTable, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[in.TableName]
	if t == nil {
		return describedTable{}, errMissingTable(in.TableName)
	}
	return describedTable{s.describe(t, "ACTIVE")}, nil
}

func (s *Service) deleteTable(in *tableInput) (tableDescription, error) {
	s.mu.Lock()
	t := s.tables[in.TableName]
	if t == nil {
		s.mu.Unlock()
		return tableDescription{}, errMissingTable(in.TableName)
	}
	delete(s.tables, t.Name)
	s.journal.Delete([]byte(tablePrefix + t.Name))
	s.journal.DeletePrefix([]byte(itemPrefix + t.Name + "\x00"))
	out := tableDescription{s.describe(t, "DELETING")}
	ticket := s.journal.Submit()
	s.mu.Unlock()
	return out, kept(ticket)
}

type listTablesInput struct {
	Limit int `json:"Limit"`
}

type listTablesOutput struct {
	TableNames []string `json:"TableNames"`
}

func (s *Service) listTables(*listTablesInput) (listTablesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return listTablesOutput{TableNames: slices.Sorted(maps.Keys(s.tables))}, nil
}

type timeToLive struct {
	AttributeName string `json:"AttributeName"`
	Enabled       bool   `json:"Enabled"`
}

type timeToLiveInput struct {
	TableName     string     `json:"TableName"`
	Specification timeToLive `json:"TimeToLiveSpecification"`
}

type timeToLiveOutput struct {
	Specification timeToLive `json:"TimeToLiveSpecification"`
}

func (s *Service) updateTimeToLive(in *timeToLiveInput) (timeToLiveOutput, error) {
	s.mu.Lock()
	t := s.tables[in.TableName]
	if t == nil {
		s.mu.Unlock()
		return timeToLiveOutput{}, errMissingTable(in.TableName)
	}
	if t.TTL = ""; in.Specification.Enabled {
		t.TTL = in.Specification.AttributeName
	}
	s.keepTable(t)
	ticket := s.journal.Submit()
	s.mu.Unlock()
	return timeToLiveOutput{in.Specification}, kept(ticket)
}

type describeTimeToLiveOutput struct {
	Description struct {
		AttributeName string `json:"AttributeName,omitempty"`
		Status        string `json:"TimeToLiveStatus"`
	} `json:"TimeToLiveDescription"`
}

func (s *Service) describeTimeToLive(in *tableInput) (out describeTimeToLiveOutput, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[in.TableName]
	if t == nil {
		return out, errMissingTable(in.TableName)
	}
	out.Description.Status = "DISABLED"
	if t.TTL != "" {
		out.Description.AttributeName, out.Description.Status = t.TTL, "ENABLED"
	}
	return out, nil
}

type scanInput struct {
	TableName         string         `json:"TableName"`
	Limit             int            `json:"Limit"`
	ExclusiveStartKey jsontext.Value `json:"ExclusiveStartKey"`
	Select            string         `json:"Select"`
	ConsistentRead    bool           `json:"ConsistentRead"`
}

type scanOutput struct {
	Items            []jsontext.Value          `json:"Items"`
	Count            int                       `json:"Count"`
	ScannedCount     int                       `json:"ScannedCount"`
	LastEvaluatedKey map[string]jsontext.Value `json:"LastEvaluatedKey,omitempty"`
}

// scan returns items in the order of their keys, a page at a time.
func (s *Service) scan(in *scanInput) (scanOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[in.TableName]
	if t == nil {
		return scanOutput{}, errMissingTable(in.TableName)
	}
	after := ""
	if in.ExclusiveStartKey != nil {
		key, err := parseItem(in.ExclusiveStartKey)
		if err == nil {
			after, err = t.idOfKey(key)
		}
		if err != nil {
			return scanOutput{}, err
		}
	}
	out := scanOutput{Items: []jsontext.Value{}}
	size := 0
	for _, id := range slices.Sorted(maps.Keys(t.items)) {
		if id <= after {
			continue
		}
		it := t.items[id]
		size += len(it.raw)
		out.Items = append(out.Items, it.raw)
		if len(out.Items) == in.Limit || size > maxPageBytes {
			raw, _ := jsontext.AppendQuote(nil, it.attributes[t.Key].kind)
			out.LastEvaluatedKey = map[string]jsontext.Value{t.Key: append(append(append([]byte{'{'}, raw...), ':'), append(it.attributes[t.Key].text, '}')...)}
			break
		}
	}
	out.Count, out.ScannedCount = len(out.Items), len(out.Items)
	if in.Select == "COUNT" {
		out.Items = nil
	}
	return out, nil
}
