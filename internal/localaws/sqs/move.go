package sqs

import (
	"encoding/base64"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// moveTask moves the visible messages of a dead-letter queue elsewhere, at a limited rate. It goes on after a restart.
type moveTask struct {
	moveStatus
	source *liveQueue
	timer  *time.Timer
	// since is when this process began to move, behind is what had been moved before.
	since  time.Time
	behind int
}

// Status values of a task (ListMessageMoveTasks reference).
const (
	moveRunning   = "RUNNING"
	moveCompleted = "COMPLETED"
	moveCancelled = "CANCELLED"
	moveFailed    = "FAILED"
)

const (
	// moveStep is the time between two steps of a task, longer for rates below 50 a second.
	moveStep = 20 * time.Millisecond
	// keptTasks is how many finished tasks of a queue are remembered; ListMessageMoveTasks shows at most ten.
	keptTasks = 10
)

// taskReference is what a task handle says, in base64 of JSON as with AWS.
type taskReference struct {
	TaskID    string `json:"taskId"`
	SourceARN string `json:"sourceArn"`
}

func newTaskHandle(sourceARN string) string {
	return base64.StdEncoding.EncodeToString(encode(taskReference{newID(), sourceARN}))
}

func (s *Service) startMessageMoveTask(_ *http.Request, in startMoveInput) (out moveHandle, err error) {
	if in.SourceARN == "" {
		return out, errMissing("SourceArn")
	}
	if err := checkRange("MaxNumberOfMessagesPerSecond", valueOr(in.MaxPerSecond, MaxMoveRate), 1, MaxMoveRate); err != nil {
		return out, err
	}
	err = onDisk(s.locked(func(now time.Time) error {
		source, err := s.moveSource(in)
		if err != nil {
			return err
		}
		s.settle(source, now)
		task := &moveTask{source: source, moveStatus: moveStatus{
			TaskHandle: newTaskHandle(in.SourceARN), Status: moveRunning, SourceARN: in.SourceARN, DestinationARN: in.DestinationARN,
			MaxPerSecond: valueOr(in.MaxPerSecond, 0), ToMove: source.visible, StartedMillis: now.UnixMilli(),
		}}
		source.tasks = append(source.tasks, task)
		source.tasks = source.tasks[max(0, len(source.tasks)-keptTasks):]
		s.keepQueue(source)
		s.goOn(task, now)
		out.TaskHandle = task.TaskHandle
		return nil
	}))
	return out, err
}

// moveSource returns the queue that a task is to empty, if it may.
func (s *Service) moveSource(in startMoveInput) (*liveQueue, error) {
	source := s.byARN(in.SourceARN)
	isDeadLetterQueue := false
	for _, q := range s.queues {
		isDeadLetterQueue = isDeadLetterQueue || q.settings.redrive.targetARN == in.SourceARN
	}
	switch {
	case source == nil:
		return nil, errNotFound("SourceArn")
	case !isDeadLetterQueue:
		return nil, errParameter("Source queue must be configured as a Dead Letter Queue.")
	case in.DestinationARN != "" && s.byARN(in.DestinationARN) == nil:
		return nil, errNotFound("DestinationArn")
	case source.runningTask() != nil:
		return nil, errParameter("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
	}
	return source, nil
}

func (q *liveQueue) runningTask() *moveTask {
	if i := slices.IndexFunc(q.tasks, func(t *moveTask) bool { return t.Status == moveRunning }); i >= 0 {
		return q.tasks[i]
	}
	return nil
}

// goOn starts or resumes a running task.
func (s *Service) goOn(t *moveTask, now time.Time) {
	t.since, t.behind = now, t.Moved
	t.timer = time.AfterFunc(t.interval(), func() { s.moveSome(t) })
}

func (t *moveTask) stop() {
	if t.timer != nil {
		t.timer.Stop()
	}
}

func (t *moveTask) rate() int {
	if t.MaxPerSecond == 0 {
		return MaxMoveRate
	}
	return t.MaxPerSecond
}

func (t *moveTask) interval() time.Duration {
	return max(moveStep, time.Second/time.Duration(t.rate()))
}

// moveSome moves as many messages as the rate allows by now.
func (s *Service) moveSome(t *moveTask) {
	_ = s.withQueue(t.source.name, func(q *liveQueue, now time.Time) error { // a queue that is gone has no tasks
		if s.closed || q != t.source || t.Status != moveRunning {
			return nil
		}
		allowed := t.behind + int(now.Sub(t.since).Seconds()*float64(t.rate()))
		for t.Moved < min(allowed, t.ToMove) && s.moveOne(t, now) {
		}
		if t.Status == moveRunning && (t.Moved == t.ToMove || q.visible == 0) {
			t.Status = moveCompleted
		}
		if t.Status == moveRunning {
			t.timer.Reset(t.interval())
		}
		s.keepQueue(q)
		return nil
	})
}

// moveOne moves the next message, as a new one: AWS gives redriven messages a new id, time and receive count.
func (s *Service) moveOne(t *moveTask, now time.Time) bool {
	r := t.source.pull()
	if r == nil {
		return false
	}
	arn := t.DestinationARN
	if arn == "" {
		arn = r.SourceARN
	}
	target := s.byARN(arn)
	if target == nil {
		t.source.restore(r)
		t.Status, t.FailureReason = moveFailed, legacyPrefix+"NonExistentQueue"
		if arn == "" {
			t.FailureReason = "CouldNotDetermineMessageSource"
		}
		return false
	}
	r.state = stateGone
	t.source.drop(r)
	moved := &record{payload: r.payload}
	moved.ID, moved.Sent, moved.SourceARN = newUUID(), now.UnixNano(), ""
	target.put(now, moved, 0)
	s.ready(target, now)
	t.Moved++
	return true
}

func (s *Service) cancelMessageMoveTask(_ *http.Request, in moveHandle) (out cancelMoveOutput, err error) {
	if in.TaskHandle == "" {
		return out, errMissing("TaskHandle")
	}
	var reference taskReference
	text, err := base64.StdEncoding.DecodeString(in.TaskHandle)
	if err != nil || json.Unmarshal(text, &reference) != nil || reference == (taskReference{}) {
		return out, errParameter("Value for parameter TaskHandle is invalid.")
	}
	err = onDisk(s.locked(func(time.Time) error {
		source := s.byARN(reference.SourceARN)
		if source == nil {
			return errNotFound("SourceArn")
		}
		task := source.runningTask()
		if task == nil || task.TaskHandle != in.TaskHandle {
			return errNamed("ResourceNotFoundException", "Task does not exist.")
		}
		task.stop()
		task.Status = moveCancelled
		s.keepQueue(source)
		out.Moved = task.Moved
		return nil
	}))
	return out, err
}

func (s *Service) listMessageMoveTasks(_ *http.Request, in listMovesInput) (out listMovesOutput, err error) {
	if in.SourceARN == "" {
		return out, errMissing("SourceArn")
	}
	most := valueOr(in.MaxResults, 1)
	if err := checkRange("MaxResults", most, 1, keptTasks); err != nil {
		return out, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	source := s.byARN(in.SourceARN)
	if source == nil {
		return out, errNotFound("SourceArn")
	}
	for _, task := range slices.Backward(source.tasks[max(0, len(source.tasks)-most):]) {
		status := task.moveStatus
		if status.Status != moveRunning {
			status.TaskHandle = "" // it is shown only while the task can still be cancelled
		}
		out.Results = append(out.Results, status)
	}
	return out, nil
}
