// main - what a Go program logs through mozlogrus: levels, errors, a field named msg, nested values.
// SPDX-License-Identifier: MPL-2.0
package main

import (
	"errors"

	"github.com/sirupsen/logrus"
	"go.mozilla.org/mozlogrus"
)

func main() {
	mozlogrus.Enable("go-bouncer")
	logrus.SetLevel(logrus.TraceLevel)
	log := logrus.StandardLogger()

	log.WithError(errors.New("dial tcp: lookup failed")).Error("retrying")
	log.WithFields(logrus.Fields{"msg": "inner", "ms": 12.5, "tiny": 1e-7}).Warn("slow")
	log.WithFields(logrus.Fields{"animal": "walrus", "size": 10, "big": int64(9007199254740993), "huge": uint64(1<<64 - 1)}).Info("a group")
	log.WithFields(logrus.Fields{"user": map[string]interface{}{"id": 7, "roles": []string{"a", "b"}, "manager": nil}}).Debug("nested")
	log.WithFields(logrus.Fields{"mixed": []interface{}{1, "a", nil}, "lists": [][]int{{1}, {2}}, "empty": []int{}, "nothing": nil}).Info("arrays")
	log.Trace("tick")
	log.Info("café \u2028 🔥 \"q\" \\ \t \n <&>")
	log.Info("")
	log.WithFields(logrus.Fields{"method": "GET", "path": "/", "t": 11, "code": 200, "rid": "r-1", "dotted.name": 1, "Dotted_Name": 2}).Info("request.summary")
	func() {
		defer func() { _ = recover() }()
		log.Panic("gone")
	}()
}
