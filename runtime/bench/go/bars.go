// The Go side of goro_bars: the workloads of ../workloads.cpp in Go.
//
// It prints the figures of one workload in one line; two where it is measured twice in the same process.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

// Waiting for the end of goroutines that tell nobody: see ../workloads.cpp.
const yieldsToTheEnd = 4

func perOne(start time.Time, count int) float64 {
	return float64(time.Since(start).Nanoseconds()) / float64(count)
}

func spawnEmpty(count int) float64 {
	start := time.Now()
	for i := 0; i < count; i++ {
		go func() {}()
	}
	for i := 0; i < yieldsToTheEnd; i++ {
		runtime.Gosched()
	}
	return perOne(start, count)
}

func spawnWaitGroup(count int) float64 {
	start := time.Now()
	var group sync.WaitGroup
	for i := 0; i < count; i++ {
		group.Add(1)
		go func() { group.Done() }()
	}
	group.Wait()
	return perOne(start, count)
}

func spawnAndWait(count int) float64 {
	start := time.Now()
	for i := 0; i < count; i++ {
		var group sync.WaitGroup
		group.Add(1)
		go func() { group.Done() }()
		group.Wait()
	}
	return perOne(start, count)
}

func yieldInTurns(count int) float64 {
	const goroutines = 2
	yields := count / goroutines
	start := time.Now()
	var group sync.WaitGroup
	for i := 0; i < goroutines; i++ {
		group.Add(1)
		go func() {
			for n := 0; n < yields; n++ {
				runtime.Gosched()
			}
			group.Done()
		}()
	}
	group.Wait()
	return perOne(start, yields*goroutines)
}

func residentBytes() float64 {
	file, err := os.Open("/proc/self/statm")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	defer file.Close()
	var size, resident int
	if _, err := fmt.Fscan(file, &size, &resident); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	return float64(resident) * float64(os.Getpagesize())
}

func bytesPerParked(count int) float64 {
	before := residentBytes()
	gate := make(chan int)
	var group sync.WaitGroup
	for i := 0; i < count; i++ {
		group.Add(1)
		go func() {
			<-gate
			group.Done()
		}()
	}
	for i := 0; i < yieldsToTheEnd; i++ {
		runtime.Gosched()
	}
	after := residentBytes()
	if runtime.NumGoroutine() != count+1 {
		fmt.Fprintln(os.Stderr, "not every goroutine is parked")
		os.Exit(3)
	}
	close(gate)
	group.Wait()
	return (after - before) / float64(count)
}

func main() {
	name := flag.String("run", "", "the workload")
	procs := flag.Int("procs", 1, "GOMAXPROCS")
	count := flag.Int("count", 1000000, "goroutines")
	flag.Parse()
	runtime.GOMAXPROCS(*procs)

	times := 1
	var measure func(int) float64
	switch *name {
	case "spawn":
		measure = spawnEmpty
		times = 2 // on fresh memory, and again
	case "spawn-wait-group":
		measure = spawnWaitGroup
		times = 2
	case "spawn-one":
		measure = spawnAndWait
	case "yield":
		measure = yieldInTurns
	case "memory":
		measure = bytesPerParked
	default:
		fmt.Fprintf(os.Stderr, "there is no workload %q\n", *name)
		os.Exit(2)
	}
	for i := 0; i < times; i++ {
		fmt.Printf("%.3f ", measure(*count))
	}
	fmt.Println()
}
