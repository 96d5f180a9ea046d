package main

import (
	"testing"

	"github.com/colaflow/colaflow/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
