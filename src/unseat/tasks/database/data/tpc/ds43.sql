SELECT s_store_name, s_store_id,
       sum(CASE WHEN d_day_name = 'Sunday' THEN ss_sales_price END) AS sunday,
       sum(CASE WHEN d_day_name = 'Wednesday' THEN ss_sales_price END) AS wednesday,
       sum(CASE WHEN d_day_name = 'Saturday' THEN ss_sales_price END) AS saturday
FROM date_dim, store_sales, store
WHERE d_date_sk = ss_sold_date_sk AND s_store_sk = ss_store_sk AND d_year = 2000
GROUP BY s_store_name, s_store_id ORDER BY s_store_name, s_store_id LIMIT 100
