// Command right reads the raw body once and verifies it.
package main

import (
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
		body, err := c.GetRawData()
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
