package dynamodb

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/millrace-dev/millrace/internal/localaws/journal"
)

const (
	// maxBatchKeys is the most keys of one BatchGetItem. Source: Amazon DynamoDB API Reference.
	maxBatchKeys = 100
	// maxPageBytes bounds what a Scan returns at once. Source: the same, Scan.
	maxPageBytes = 1 << 20
	allOld       = "ALL_OLD"
)

// target is what writes and reads of one item have in common.
type target struct {
	TableName string         `json:"TableName"`
	Key       jsontext.Value `json:"Key"`
	Item      jsontext.Value `json:"Item"`

	ConditionExpression                 string                    `json:"ConditionExpression"`
	ExpressionAttributeNames            map[string]string         `json:"ExpressionAttributeNames"`
	ExpressionAttributeValues           map[string]jsontext.Value `json:"ExpressionAttributeValues"`
	ReturnValues                        string                    `json:"ReturnValues"`
	ReturnValuesOnConditionCheckFailure string                    `json:"ReturnValuesOnConditionCheckFailure"`
	ReturnConsumedCapacity              string                    `json:"ReturnConsumedCapacity"`
	ReturnItemCollectionMetrics         string                    `json:"ReturnItemCollectionMetrics"`
}

type itemOutput struct {
	Attributes jsontext.Value `json:"Attributes,omitempty"`
	Item       jsontext.Value `json:"Item,omitempty"`
}

// condition parses what has to hold.
func (in *target) condition() (condition, error) {
	e := expression{Text: in.ConditionExpression, Names: in.ExpressionAttributeNames, Values: make(map[string]value)}
	for name, raw := range in.ExpressionAttributeValues {
		v, err := parseValue(raw)
		if err != nil {
			return nil, err
		}
		e.Values[name] = v
	}
	return parseCondition(e)
}

// write is a write that is decided but for the state of the table.
type write struct {
	*target
	item      item // zero to delete
	condition condition
}

func (s *Service) putItem(in *target) (itemOutput, error) {
	it, err := parseItem(in.Item)
	if err != nil {
		return itemOutput{}, err
	}
	return s.write(in, it, (*table).idOf)
}

func (s *Service) deleteItem(in *target) (itemOutput, error) {
	key, err := parseItem(in.Key)
	if err != nil {
		return itemOutput{}, err
	}
	return s.write(in, key, (*table).idOfKey)
}

func (s *Service) write(in *target, subject item, identify func(*table, item) (string, error)) (itemOutput, error) {
	holds, err := in.condition()
	if err != nil {
		return itemOutput{}, err
	}
	w := write{target: in, condition: holds}
	if in.Item != nil {
		w.item = subject
	}
	out, ticket, err := s.apply(&w, func(t *table) (string, error) { return identify(t, subject) })
	if err != nil {
		return itemOutput{}, err
	}
	if err := ticket.Wait(); err != nil {
		return itemOutput{}, errKept(err)
	}
	return out, nil
}

// apply decides and writes under the lock. The ticket is done when it is on disk.
func (s *Service) apply(w *write, identify func(*table) (string, error)) (out itemOutput, ticket *journal.Ticket, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[w.TableName]
	if t == nil {
		return out, nil, errMissingTable(w.TableName)
	}
	id, err := identify(t)
	if err != nil {
		return out, nil, err
	}
	old := t.items[id]
	if !w.condition(old) {
		found := item{}
		if w.ReturnValuesOnConditionCheckFailure == allOld {
			found = old
		}
		return out, nil, errCondition(found)
	}
	if w.ReturnValues == allOld {
		out.Attributes = old.raw
	}
	if w.item.raw == nil {
		delete(t.items, id)
		s.journal.Delete(journalKey(t, id))
		return out, s.journal.Submit(), nil
	}
	if s.journal.Full() {
		return out, nil, errKept(errDiskFull)
	}
	s.sweep(t, time.Now())
	t.items[id] = w.item
	s.journal.Set(journalKey(t, id), w.item.raw)
	return out, s.journal.Submit(), nil
}

type getInput struct {
	TableName              string         `json:"TableName"`
	Key                    jsontext.Value `json:"Key"`
	ConsistentRead         bool           `json:"ConsistentRead"`
	ReturnConsumedCapacity string         `json:"ReturnConsumedCapacity"`
}

func (s *Service) getItem(in *getInput) (itemOutput, error) {
	key, err := parseItem(in.Key)
	if err != nil {
		return itemOutput{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(in.TableName, key)
	return itemOutput{Item: found.raw}, err
}

// find looks an item up. The caller holds the lock.
func (s *Service) find(tableName string, key item) (item, error) {
	t := s.tables[tableName]
	if t == nil {
		return item{}, errMissingTable(tableName)
	}
	id, err := t.idOfKey(key)
	return t.items[id], err
}

type batchGetInput struct {
	RequestItems           map[string]batchKeys `json:"RequestItems"`
	ReturnConsumedCapacity string               `json:"ReturnConsumedCapacity"`
}

type batchKeys struct {
	Keys           []jsontext.Value `json:"Keys"`
	ConsistentRead bool             `json:"ConsistentRead"`
}

type batchGetOutput struct {
	Responses       map[string][]jsontext.Value `json:"Responses"`
	UnprocessedKeys map[string]batchKeys        `json:"UnprocessedKeys"`
}

func (s *Service) batchGetItem(in *batchGetInput) (batchGetOutput, error) {
	out := batchGetOutput{Responses: make(map[string][]jsontext.Value), UnprocessedKeys: make(map[string]batchKeys)}
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := 0
	for tableName, wanted := range in.RequestItems {
		out.Responses[tableName] = []jsontext.Value{}
		seen := make(map[string]bool)
		for _, raw := range wanted.Keys {
			if keys++; keys > maxBatchKeys {
				return out, errValidation("Too many items requested for the BatchGetItem call")
			}
			if seen[string(raw)] {
				return out, errValidation("Provided list of item keys contains duplicates")
			}
			seen[string(raw)] = true
			key, err := parseItem(raw)
			if err != nil {
				return out, err
			}
			found, err := s.find(tableName, key)
			if err != nil {
				return out, err
			}
			if found.raw != nil {
				out.Responses[tableName] = append(out.Responses[tableName], found.raw)
			}
		}
	}
	if keys == 0 {
		return out, errValidation("The batch get request must contain at least one key")
	}
	return out, nil
}
