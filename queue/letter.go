package queue

import (
	"encoding/json"
	"fmt"
)

// letter is what JetStream tells of a message that it delivers no more.
type letter struct {
	Stream     string `json:"stream"`
	Seq        uint64 `json:"stream_seq"`
	Deliveries int    `json:"deliveries"`
	Reason     string `json:"reason"`
}

func readLetter(data []byte) (l letter, err error) {
	if err := json.Unmarshal(data, &l); err != nil {
		return l, fmt.Errorf("read a dead letter: %w", err)
	}
	return l, nil
}

// String says why.
func (l letter) String() string {
	if l.Reason != "" {
		return l.Reason
	}
	return fmt.Sprintf("workers got it %d times, and none finished it", l.Deliveries)
}
