package sqs

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// Status values of a task (ListMessageMoveTasks reference).
const (
	moveRunning   = "RUNNING"
	moveCompleted = "COMPLETED"
	moveCancelled = "CANCELLED"
	moveFailed    = "FAILED"
)

// keptTasks is how many tasks of a queue are remembered; ListMessageMoveTasks shows at most ten.
const keptTasks = 10

// moveInput has the members of all calls about move tasks; each call reads its own.
type moveInput struct {
	SourceARN      string `json:"SourceArn"`
	DestinationARN string `json:"DestinationArn"`
	MaxPerSecond   *int   `json:"MaxNumberOfMessagesPerSecond"`
	TaskHandle     string
	MaxResults     *int
}

// moveOutput has the members of all replies about move tasks.
type moveOutput struct {
	TaskHandle string       `json:",omitempty"`
	Moved      *int         `json:"ApproximateNumberOfMessagesMoved,omitempty"`
	Results    []moveStatus `json:",omitempty"`
}

// moveStatus is a move task, on the wire and in the journal.
type moveStatus struct {
	TaskHandle     string `json:"TaskHandle,omitempty"`
	Status         string `json:"Status"`
	SourceARN      string `json:"SourceArn"`
	DestinationARN string `json:"DestinationArn,omitempty"`
	MaxPerSecond   int    `json:"MaxNumberOfMessagesPerSecond,omitzero"`
	Moved          int    `json:"ApproximateNumberOfMessagesMoved"`
	ToMove         int    `json:"ApproximateNumberOfMessagesToMove"`
	FailureReason  string `json:"FailureReason,omitempty"`
	StartedMillis  int64  `json:"StartedTimestamp"`
}

// taskReference is what a task handle says, in base64 of JSON as with AWS.
type taskReference struct {
	TaskID    string `json:"taskId"`
	SourceARN string `json:"sourceArn"`
}

func newTaskHandle(sourceARN string) string {
	return base64.StdEncoding.EncodeToString(encode(taskReference{newID(), sourceARN}))
}

// onSource is change for the queue that a call about move tasks names.
func (s *Service) onSource(arn string, fn func(source *queue, now time.Time) error) error {
	if arn == "" {
		return errMissing("SourceArn")
	}
	return onDisk(s.locked(func(now time.Time) error {
		source := s.byARN(arn)
		if source == nil {
			return errNotFound("SourceArn")
		}
		s.settle(source, now)
		defer s.ready(source, now)
		return fn(source, now)
	}))
}

func (s *Service) startMessageMoveTask(_ *http.Request, in moveInput) (out moveOutput, err error) {
	if err := checkRange("MaxNumberOfMessagesPerSecond", valueOr(in.MaxPerSecond, MaxMoveRate), 1, MaxMoveRate); err != nil {
		return out, err
	}
	err = s.onSource(in.SourceARN, func(source *queue, now time.Time) error {
		if err := s.checkMove(source, in); err != nil {
			return err
		}
		out.TaskHandle = newTaskHandle(in.SourceARN)
		task := moveStatus{
			TaskHandle: out.TaskHandle, Status: moveRunning, SourceARN: in.SourceARN, DestinationARN: in.DestinationARN,
			MaxPerSecond: valueOr(in.MaxPerSecond, 0), ToMove: source.count[HeldVisible], StartedMillis: now.UnixMilli(),
		}
		source.nextMove = now.UnixNano() + task.interval()
		source.Tasks = append(source.Tasks[max(0, len(source.Tasks)+1-keptTasks):], task)
		s.keepQueue(source)
		return nil
	})
	return out, err
}

// checkMove refuses a task that must not empty source, or not into that destination.
func (s *Service) checkMove(source *queue, in moveInput) error {
	isDeadLetterQueue := false
	for _, q := range s.queues {
		isDeadLetterQueue = isDeadLetterQueue || q.settings.redrive.targetARN == in.SourceARN
	}
	switch {
	case !isDeadLetterQueue:
		return errParameter("Source queue must be configured as a Dead Letter Queue.")
	case in.DestinationARN != "" && s.byARN(in.DestinationARN) == nil:
		return errNotFound("DestinationArn")
	case source.moving() != nil:
		return errParameter("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
	}
	return nil
}

// moving returns the running task.
func (q *queue) moving() *moveStatus {
	if last := len(q.Tasks) - 1; last >= 0 && q.Tasks[last].Status == moveRunning {
		return &q.Tasks[last]
	}
	return nil
}

// interval is the time between two messages of a task, in nanoseconds.
func (t *moveStatus) interval() int64 {
	return int64(time.Second) / int64(cmp.Or(t.MaxPerSecond, MaxMoveRate))
}

// moveOn lets the running task move the messages whose time has come; a timer that is late must not make the task slower.
func (s *Service) moveOn(q *queue, now time.Time) {
	for task := q.moving(); task != nil && q.nextMove <= now.UnixNano(); task = q.moving() {
		q.nextMove += task.interval()
		task.FailureReason = s.moveNext(q, task, now)
		switch {
		case task.FailureReason != "":
			task.Status = moveFailed
		case task.Moved >= task.ToMove || q.count[HeldVisible] == 0:
			task.Status = moveCompleted
		}
		s.keepQueue(q)
	}
}

// moveNext moves the next message, as a new one: AWS gives redriven messages a new id, time and receive count.
func (s *Service) moveNext(q *queue, task *moveStatus, now time.Time) (failure string) {
	r := q.fair.next()
	if r == nil {
		return ""
	}
	arn := cmp.Or(task.DestinationARN, r.SourceARN)
	target := s.byARN(arn)
	switch {
	case arn == "":
		return "CouldNotDetermineMessageSource"
	case target == nil:
		return legacyPrefix + "NonExistentQueue"
	}
	q.drop(r)
	moved := &record{payload: r.payload}
	moved.ID, moved.Sent, moved.SourceARN = newUUID(), now.UnixNano(), ""
	target.put(now, moved, 0)
	s.schedule(target, now)
	task.Moved++
	return ""
}

func (s *Service) cancelMessageMoveTask(_ *http.Request, in moveInput) (out moveOutput, err error) {
	if in.TaskHandle == "" {
		return out, errMissing("TaskHandle")
	}
	var reference taskReference
	text, err := base64.StdEncoding.DecodeString(in.TaskHandle)
	if err != nil || json.Unmarshal(text, &reference) != nil || reference.SourceARN == "" {
		return out, errParameter("Value for parameter TaskHandle is invalid.")
	}
	err = s.onSource(reference.SourceARN, func(source *queue, _ time.Time) error {
		task := source.moving()
		if task == nil || task.TaskHandle != in.TaskHandle {
			return errNamed("ResourceNotFoundException", "Task does not exist.")
		}
		task.Status = moveCancelled
		out.Moved = new(task.Moved)
		s.keepQueue(source)
		return nil
	})
	return out, err
}

func (s *Service) listMessageMoveTasks(_ *http.Request, in moveInput) (out moveOutput, err error) {
	most := valueOr(in.MaxResults, 1)
	if err := checkRange("MaxResults", most, 1, keptTasks); err != nil {
		return out, err
	}
	err = s.onSource(in.SourceARN, func(source *queue, _ time.Time) error {
		for _, task := range slices.Backward(source.Tasks[max(0, len(source.Tasks)-most):]) {
			if task.Status != moveRunning {
				task.TaskHandle = "" // it is shown only while the task can still be cancelled
			}
			out.Results = append(out.Results, task)
		}
		return nil
	})
	return out, err
}
