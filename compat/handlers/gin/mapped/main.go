// Command mapped binds the body to a map and verifies what json.Marshal makes of it.
package main

import (
	"encoding/json"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"
	svix "github.com/svix/svix-webhooks/go"
)

func main() {
	wh, err := svix.NewWebhook(os.Getenv("ASPECT_WEBHOOK_SECRET"))
	if err != nil {
		panic(err)
	}
	r := gin.Default()
	r.POST("/webhooks/aspect", func(c *gin.Context) {
		var payload map[string]any
		if err := c.ShouldBindJSON(&payload); err != nil {
			c.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})
			return
		}
		body, _ := json.Marshal(payload)
		if err := wh.Verify(body, c.Request.Header); err != nil {
			c.JSON(http.StatusBadRequest, gin.H{"error": "invalid signature"})
			return
		}
		c.Status(http.StatusNoContent)
	})
	r.Run("127.0.0.1:" + os.Getenv("PORT"))
}
