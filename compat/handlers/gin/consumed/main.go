// Command consumed binds the body first, and verifies what is left to read of it: nothing.
package main

import (
	"io"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"
	svix "github.com/svix/svix-webhooks/go"
)

type event struct {
	EventType string `json:"event_type"`
}

func main() {
	wh, err := svix.NewWebhook(os.Getenv("ASPECT_WEBHOOK_SECRET"))
	if err != nil {
		panic(err)
	}
	r := gin.Default()
	r.POST("/webhooks/aspect", func(c *gin.Context) {
		var e event
		if err := c.ShouldBindJSON(&e); err != nil {
			c.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})
			return
		}
		body, err := io.ReadAll(c.Request.Body)
		if err != nil {
			c.AbortWithStatus(http.StatusBadRequest)
			return
		}
		if err := wh.Verify(body, c.Request.Header); err != nil {
			c.JSON(http.StatusBadRequest, gin.H{"error": "invalid signature"})
			return
		}
		c.Status(http.StatusNoContent)
	})
	r.Run("127.0.0.1:" + os.Getenv("PORT"))
}
